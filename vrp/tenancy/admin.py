"""Back office: the directory of tenants, for superusers."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from vrp.console.fields import OVERRIDES
from vrp.tenancy.models import Tenant


@admin.register(Tenant)
class TenantAdmin(admin.ModelAdmin):
    """A brand's own rules. The admin's own rule applies: superusers only."""

    list_display = ["name", "slug", "country", "currency", "is_active"]
    search_fields = ["name", "slug"]
    list_per_page = 50
    actions = None
    formfield_overrides = OVERRIDES

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a tenant that ends is switched off; its record stays
