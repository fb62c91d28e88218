"""The back office's admin site: a member of the tenant comes in, roles decide the rest."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from vrp.accounts.enums import Role

OFFICE_ROLES = {Role.ADMIN, Role.PLANNER, Role.AUDITOR}


class OfficeSite(AdminSite):
    """Same session as the console; no second sign-in."""

    site_title = "Back office"
    site_header = "Back office"
    index_title = "Master data"
    site_url = "/ops/"

    def has_permission(self, request: HttpRequest) -> bool:
        if not request.user.is_active or request.tenant is None:  # type: ignore[attr-defined]
            return False
        roles = request.grant.roles  # type: ignore[attr-defined]
        return bool(roles & OFFICE_ROLES) or request.user.is_superuser
