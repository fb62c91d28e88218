"""A person may work for several tenants: what happens to their sign-in is of all."""

from typing import Any

from vrp.accounts.models import User
from vrp.events.services import Actor, record
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope


def tenants_of(user: User) -> list[Tenant]:
    """Every tenant the person has a role in."""
    return list(Tenant.objects.filter(memberships__user=user).distinct())


def note(name: str, *, user: User, actor: Actor, **data: Any) -> None:
    """Append the event ``name`` about this person in each of their tenants. Call inside
    the change's transaction; ``data`` never holds a secret."""
    for tenant in tenants_of(user):
        with tenant_scope(tenant):
            record(name, subject=user, tenant=tenant, actor=actor, data=data)
