"""The back office: Django's admin for master data, as part of ``/ops/``."""

from django.contrib.admin.apps import AdminConfig


class OfficeConfig(AdminConfig):
    """Replaces ``django.contrib.admin`` so that its site is ours."""

    default_site = "vrp.console.site.OfficeSite"
