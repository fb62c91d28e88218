from importlib import import_module
from threading import Thread
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate


def install_clock(**kwargs: Any) -> None:
    """After ``migrate``: make sure every beat has its schedule."""
    from vrp.ops.clock import install

    install()


def run_what_is_due(**kwargs: Any) -> None:
    """When the clock starts: do what is due now, not at its first look in 30 s.

    So what waited while the clock was down goes out at once, and ``/readyz`` sees its
    sign of life within seconds.
    """
    from django_q.scheduler import scheduler

    scheduler()
    if settings.HASTE > 1:
        from vrp.ops.clock import run_fast

        Thread(target=run_fast, daemon=True, name="hasty clock").start()


class OpsConfig(AppConfig):
    name = "vrp.ops"
    label = "ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        import_module("vrp.ops.beats")
        import_module("vrp.ops.checks")
        # django_q is migrated after us; its own signal marks that its table is there.
        from django.apps import apps

        post_migrate.connect(install_clock, sender=apps.get_app_config("django_q"))

        from django_q.signals import post_spawn

        post_spawn.connect(run_what_is_due, sender="django_q", dispatch_uid="vrp.ops")
