from importlib import import_module

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = "Money"

    def ready(self) -> None:
        for part in ("subscribers", "outbox", "clock"):
            import_module(f"payments.{part}")
