from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "vrp.api"
    label = "api"
