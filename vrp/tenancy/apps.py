from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "vrp.tenancy"
    label = "tenancy"
    verbose_name = "Tenants"
