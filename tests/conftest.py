"""The cast of every test: two tenants, one person for each role, real servers.

Names are constant: *soko* is ours, *addis* is the neighbour who must see nothing.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from tests.builders import Network, build_network, build_tenant, build_user
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.rates import Rate
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope


@pytest.fixture(scope="session", autouse=True)
def _static_root() -> None:
    """WhiteNoise warns of a missing folder, and warnings are errors here."""
    Path(django_settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _plain_static(settings: Any) -> None:
    """Pages are drawn with static files as they lie in the tree, not as collected."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        },
    }


@pytest.fixture(autouse=True)
def _no_hurry(settings: Any) -> None:
    """Tests are quicker than people and call from one address; those of the rate limits
    set rates of their own."""
    settings.RATES = dict.fromkeys(settings.RATES, Rate(1_000_000, 60))


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
