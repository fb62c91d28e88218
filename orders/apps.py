from importlib import import_module

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = "Orders and catalogue"

    def ready(self) -> None:
        import_module("orders.subscribers")
