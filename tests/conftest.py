"""The cast of every test: two tenants, one person for each role, real servers.

Names are constant: *soko* is ours, *addis* is the neighbour who must see nothing.
"""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from tests.builders import Network, build_network, build_tenant, build_user
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope


@pytest.fixture
def tenant(db: None) -> Iterator[Tenant]:
    """Soko, with its scope entered for the whole test."""
    soko = build_tenant("soko")
    with tenant_scope(soko):
        yield soko


@pytest.fixture
def other_tenant(db: None) -> Tenant:
    """Addis: not entered; use ``tenant_scope(other_tenant)``."""
    return build_tenant("addis")


@pytest.fixture
def network(tenant: Tenant) -> Network:
    """Three horn and two brass workshops, the HPN-01 necklace and a buyer."""
    return build_network(tenant)


@pytest.fixture
def person(tenant: Tenant) -> Callable[..., User]:
    """``person(Role.PLANNER)``: a user with that role (and others) in soko."""

    def make(*roles: Role, name: str = "") -> User:
        return build_user(tenant, name or f"{roles[0]}-user", *roles)

    return make


@pytest.fixture
def signed_in(person: Callable[..., User]) -> Callable[..., Client]:
    """``signed_in(Role.QC)``: a browser-like client signed in with that role."""

    def make(*roles: Role, name: str = "") -> Client:
        client = Client()
        client.force_login(person(*roles, name=name))
        return client

    return make
