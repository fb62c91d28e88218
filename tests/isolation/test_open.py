"""Addresses without a tenant: what they show to nobody, and to a neighbour."""

import pytest
from django.test import Client

from tests.isolation.conftest import World
from tests.isolation.routes import PARAMETER
from tests.isolation.table import ELSEWHERE, OPEN
from tests.isolation.test_console import leaks
from tests.isolation.world import Side

pages = pytest.mark.parametrize(
    "pattern", sorted(p for p, entry in ELSEWHERE.items() if entry.by == OPEN)
)


def here(pattern: str) -> str:
    return "/" + PARAMETER.sub("1", pattern.replace("(?P<url>.*)$", "nowhere/"))


@pages
def test_a_stranger_sees_no_tenant(world: World, pattern: str) -> None:
    marks = world.a.marks() | {world.a.tenant.slug.encode()}
    with world.unchanged():
        for method in ("get", "post"):
            answer = getattr(Client(REMOTE_ADDR="203.0.113.9"), method)(here(pattern))
            assert answer.status_code < 500 or pattern == "readyz"
            assert not leaks(answer, marks)


@pages
def test_a_neighbour_sees_nothing_either(world: World, pattern: str) -> None:
    a, b = world
    for who in ("boss", "root", "auditor"):
        if pattern.endswith(("sign-out/", "logout/", "sign-out-everywhere/")):
            continue
        answer = b.client(who).get(here(pattern), REMOTE_ADDR="203.0.113.9")
        assert answer.status_code < 500 or pattern == "readyz"
        assert not leaks(answer, a.marks() | {a.tenant.slug.encode()})


def test_another_tenant_is_not_entered(world: World) -> None:
    a, b = world
    client = b.client("boss")
    client.post("/ops/tenant/", {"tenant": str(a.tenant.pk)})
    page = client.get("/ops/orders/")
    assert page.context["request"].tenant == b.tenant
    client.post("/ops/orders/1/cancel/", {"_tenant": str(a.tenant.pk)})
    assert world.changes() == []


def test_a_session_that_names_another_tenant_stays_out(world: World) -> None:
    """Whatever stands in the session, membership decides."""
    a, b = world
    session = b.client("planner").session
    session["tenant_id"] = a.tenant.pk
    session.save()
    answer = b.client("planner").get("/ops/orders/")
    assert answer.context["request"].tenant == b.tenant
    assert not leaks(answer, a.marks())


def test_a_tenant_that_was_switched_off_is_closed_to_its_people(world: World) -> None:
    a: Side = world.a
    type(a.tenant).objects.filter(pk=a.tenant.pk).update(is_active=False)
    answer = a.client("boss").get("/ops/orders/")
    assert answer.status_code == 403
    assert not leaks(answer, a.marks() - {f"{a.mark} brand".encode(), a.mark.encode()})
