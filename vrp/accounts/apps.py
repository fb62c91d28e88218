from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "vrp.accounts"
    label = "accounts"
    verbose_name = "People and roles"

    def ready(self) -> None:
        import_module("vrp.accounts.clock")
