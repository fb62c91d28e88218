from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "vrp.console"
    label = "console"
