from importlib import import_module

from django.apps import AppConfig


class ArtisansConfig(AppConfig):
    name = "artisans"
    verbose_name = "Network"

    def ready(self) -> None:
        import_module("artisans.subscribers")
