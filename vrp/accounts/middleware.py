"""From the session to the tenant: which brand's data this request may see."""

import zoneinfo
from collections.abc import Callable
from typing import Any

import structlog
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from vrp.accounts.enums import Role
from vrp.accounts.gate import stopped
from vrp.accounts.models import Membership, User
from vrp.accounts.permissions import Grant, grant_of
from vrp.accounts.queries import memberships_of
from vrp.digits import whole_number
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

log = structlog.get_logger(__name__)
SESSION_KEY = "tenant_id"


# The middleware adds ``tenant``, ``grant`` and ``tenants`` to the request.
Request = Any


class TenantMiddleware:
    """Under ``/ops/``: enter the scope of the chosen tenant, refuse another tab's post.

    A page carries the tenant it was drawn for in the hidden field ``_tenant``. A post
    that names another tenant than the session's (two tabs, two brands) changes nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> HttpResponse:
        request.tenant, request.grant, request.tenants = None, Grant(), []
        user = request.user
        if not request.path.startswith("/ops/") or not isinstance(user, User):
            return self.get_response(request)
        # Read anew for each request, so that a role given or taken counts at once.
        roles = memberships_of(user)
        request.tenants = list({row.tenant_id: row.tenant for row in roles}.values())
        elsewhere = stopped(request, roles)
        if elsewhere is not None:
            return elsewhere
        tenant = self._chosen(request, roles)
        if tenant is None:
            return self.get_response(request)
        request.tenant = tenant
        request.grant = grant_of(row for row in roles if row.tenant_id == tenant.pk)
        structlog.contextvars.bind_contextvars(actor=f"user:{user.pk}")
        with tenant_scope(tenant), timezone.override(self._zone(user, tenant)):
            page_tenant = (
                request.POST.get("_tenant") if request.method == "POST" else ""
            )
            if page_tenant and page_tenant != str(tenant.pk):
                return self._refuse(request)
            response: Any = self.get_response(request)
            if hasattr(response, "render") and not response.is_rendered:
                response.render()
            if request.method == "POST" and response.status_code == 403:
                # No event: who may change nothing adds nothing to the record either.
                log.warning(
                    "console.write_refused",
                    path=request.path,
                    tenant=tenant.slug,
                    roles=sorted(request.grant.roles),
                )
            return response

    def _chosen(self, request: Request, roles: list[Membership]) -> Tenant | None:
        wanted = request.session.get(SESSION_KEY)
        for tenant in request.tenants:
            if tenant.pk == wanted:
                return tenant
        return first_tenant(roles)

    def _zone(self, user: User, tenant: Tenant) -> zoneinfo.ZoneInfo:
        try:
            return zoneinfo.ZoneInfo(user.timezone or tenant.timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            return zoneinfo.ZoneInfo("UTC")

    def _refuse(self, request: Request) -> HttpResponse:
        context = {
            "title": "This page belongs to another brand",
            "message": "You switched brand in another tab, so nothing was saved. "
            f"You are now in {request.tenant}. Open the page again from the menu.",
        }
        return render(request, "409.html", context, status=409)


def first_tenant(roles: list[Membership]) -> Tenant | None:
    """Where a session begins: where the person works rather than where they audit."""
    working = [row for row in roles if row.role != Role.AUDITOR]
    return next((row.tenant for row in working or roles), None)


def choose_tenant(request: Request, user: User) -> None:
    """At sign-in: a role in another brand, given later, never moves an open session."""
    tenant = first_tenant(memberships_of(user))
    if tenant is not None:
        request.session.setdefault(SESSION_KEY, tenant.pk)


def switch_tenant(request: HttpRequest) -> HttpResponse:
    """POST ``tenant``: continue as another of one's tenants."""
    allowed = Membership.objects.filter(
        user_id=request.user.pk or 0,
        tenant_id=whole_number(request.POST.get("tenant", "")) or 0,
        tenant__is_active=True,
    )
    membership = allowed.select_related("tenant").first()
    if membership:
        request.session[SESSION_KEY] = membership.tenant_id
        messages.success(request, f"You are now working in {membership.tenant}.")
    return redirect("/ops/")
