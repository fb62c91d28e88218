from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "vrp.accounts"
    label = "accounts"
    verbose_name = "People and roles"
