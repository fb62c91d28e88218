"""Who may do what: asked by console, admin and API alike."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from vrp.accounts.enums import GRANTS, Permission, Role
from vrp.accounts.models import Membership, User
from vrp.errors import NotAllowed
from vrp.tenancy.models import Tenant


@dataclass(frozen=True)
class Grant:
    """What one user is in one tenant: roles, regions, and the rights they add up to."""

    roles: frozenset[Role] = frozenset()
    regions: frozenset[str] = frozenset()

    def may(self, permission: Permission) -> bool:
        """Whether any of the roles grants this."""
        return any(permission in GRANTS[role] for role in self.roles)

    @property
    def may_write(self) -> bool:
        """Whether any role writes at all: an auditor reads everything, writes nothing."""
        return any(GRANTS[role] for role in self.roles)

    @property
    def region_limit(self) -> frozenset[str] | None:
        """Regions this person is limited to; None where another role lifts the limit."""
        return self.regions if self.roles == {Role.FIELD} else None


def grant_of(rows: Iterable[Membership]) -> Grant:
    """What these roles of one person in one tenant add up to; nothing for none."""
    found = [(Role(row.role), row.regions) for row in rows]
    return Grant(
        roles=frozenset(role for role, _ in found),
        regions=frozenset(region for _, regions in found for region in regions),
    )


def grant_for(user: User, tenant: Tenant) -> Grant:
    """The grant of a user in a tenant; empty for a stranger. One query."""
    return grant_of(Membership.objects.filter(user=user, tenant=tenant))


def require(permission: Permission) -> Callable[..., Any]:
    """Decorator of a console view: 403 with a plain sentence without the right."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            check(request, permission)
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def check(request: HttpRequest, permission: Permission) -> None:
    """Raise ``NotAllowed`` unless the signed-in user holds the right here."""
    if not request.grant.may(permission):  # type: ignore[attr-defined]
        raise NotAllowed(
            f"Your role does not let you {permission.label}. "
            "Ask a tenant admin if you need to."
        )
