from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "vrp.imports"
    label = "imports"
    verbose_name = "Imports"
