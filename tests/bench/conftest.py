"""A laboratory on the tests' own servers, and a small scenery in it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.lab import Laboratory, borrowed
from bench.scenery import Scenery
from phone.models import Channel
from tests.builders import (
    build_key,
    build_network,
    build_order,
    build_tenant,
    build_user,
)
from vrp.accounts.enums import Role
from vrp.tenancy.scope import tenant_scope


@pytest.fixture
def lab(transactional_db: None, tmp_path: Path) -> Iterator[Laboratory]:
    """Ends its processes and removes its databases afterwards."""
    logs = tmp_path / "logs"
    logs.mkdir()
    found = borrowed(f"bench_{os.getpid()}_", logs)
    yield found
    found.close()


@pytest.fixture
def scenery(lab: Laboratory) -> Scenery:
    """One tenant with five workshops, an order and one person for each role."""
    tenant = build_tenant("soko")
    with tenant_scope(tenant):
        network = build_network(tenant)
        build_order(network, 100, stock=50)
        Channel.objects.create(
            tenant=tenant,
            username="soko",
            api_key="",
            sender="22955",
            ussd_code="*384*55#",
            route_secret=f"{tenant.pk}-{'a1' * 20}",
        )
        key = build_key(network.buyer)
    people = {role.value: build_user(tenant, role, role).username for role in Role}
    database = lab.database("base")
    return Scenery(database, tenant.pk, key, slug=tenant.slug, people=people)
