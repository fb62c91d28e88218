from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def install_clock(**kwargs: Any) -> None:
    """After ``migrate``: make sure every beat has its schedule."""
    from vrp.ops.clock import install

    install()


class OpsConfig(AppConfig):
    name = "vrp.ops"
    label = "ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        import_module("vrp.ops.beats")
        # django_q is migrated after us; its own signal marks that its table is there.
        from django.apps import apps

        post_migrate.connect(install_clock, sender=apps.get_app_config("django_q"))
