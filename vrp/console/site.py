"""The back office's admin site: a member of the tenant comes in, roles decide the rest."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse

from vrp.accounts.enums import Role
from vrp.console.guard import refuse_readers

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

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """As in the console, who only reads is refused every post but the one that
        ends the own session and the one that changes the own password."""
        guarded: Callable[..., HttpResponse] = super().admin_view(view, cacheable)
        if view in (self.logout, self.password_change):
            return guarded

        @wraps(guarded)
        def for_writers(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if self.has_permission(request) and not request.user.is_superuser:  # type: ignore[union-attr]
                refuse_readers(request)
            return guarded(request, *args, **kwargs)

        return for_writers
