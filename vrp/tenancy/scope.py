"""Entering a tenant: the one way in, for requests, tasks, commands and tests.

Inside ``tenant_scope(tenant)`` the ORM sees that tenant's rows only (django-scopes) and
PostgreSQL is told the same before the next query (``vrp.tenancy.postgres``). Outside,
scoped managers raise and the database shows no row of any tenant.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django_scopes import get_scope, scope

if TYPE_CHECKING:
    from vrp.tenancy.models import Tenant


@contextmanager
def tenant_scope(tenant: "Tenant") -> Iterator["Tenant"]:
    """Run a block as ``tenant``. Scopes nest; leaving restores the outer one."""
    with scope(tenant=tenant):
        yield tenant


def active_tenant() -> "Tenant | None":
    """The tenant whose scope is active, or None."""
    return get_scope().get("tenant")


def active_tenant_id() -> int | None:
    """Its id, read by the database backend before each query."""
    tenant = active_tenant()
    return None if tenant is None else tenant.pk
