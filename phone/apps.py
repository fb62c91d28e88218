from importlib import import_module

from django.apps import AppConfig


class PhoneConfig(AppConfig):
    name = "phone"
    verbose_name = "Phone"

    def ready(self) -> None:
        for module in ("subscribers", "outbox", "clock"):
            import_module(f"phone.{module}")
