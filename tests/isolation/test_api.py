"""The buyers' API with another tenant's key, another buyer's key, and none."""

import json
from typing import Any

import pytest
from django.test import Client

from orders.models import ApiKey
from tests.isolation.conftest import World
from tests.isolation.prints import undone
from tests.isolation.routes import fill, filled
from tests.isolation.table import API, Api
from tests.isolation.test_console import leaks
from tests.isolation.world import Side
from vrp.tenancy.scope import tenant_scope

every_route = pytest.mark.parametrize(("pattern", "method"), sorted(API))


def call(
    entry: Api,
    method: str,
    url: str,
    key: str,
    body: Side | None = None,
    search: str = "",
) -> Any:
    """One request; ``body`` is whose ids are in it."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    headers["idempotency-key"] = "one"
    query = f"{url}?{search}" if search else url
    given: dict[str, Any] = {}
    if method != "get":
        content = filled(entry.body or {}, body) if body else {}
        given = {"data": json.dumps(content), "content_type": "application/json"}
    return getattr(Client(), method)(query, headers=headers, **given)


@every_route
def test_with_another_tenants_key_nothing_is_found(
    world: World, pattern: str, method: str
) -> None:
    entry, (a, b) = API[pattern, method], world
    url = fill(entry.path, a)
    with world.unchanged(of=a), undone():
        answer = call(entry, method, url, b.secrets["key"], b)
        if entry.lists:
            assert answer.status_code in entry.good
        else:
            assert answer.status_code == 404
        assert not leaks(answer, a.marks())
    for search in entry.search:
        answer = call(entry, method, url, b.secrets["key"], b, fill(search, a))
        assert answer.status_code in ((200,) if entry.lists else (404,))
        assert not leaks(
            answer, a.marks() - {fill(search, a).partition("=")[2].encode()}
        )


@every_route
def test_another_tenants_things_are_not_taken_from_a_body(
    world: World, pattern: str, method: str
) -> None:
    entry, (a, b) = API[pattern, method], world
    if not entry.body or filled(entry.body, a) == filled(entry.body, b):
        return
    with world.unchanged(of=a):
        answer = call(entry, method, fill(entry.path, b), b.secrets["key"], a)
        assert answer.status_code in (404, 409, 422)
        # What was sent may be named in the answer.
        sent = json.dumps(filled(entry.body, a)).encode()
        assert not leaks(answer, {mark for mark in a.marks() if mark not in sent})


@every_route
def test_another_buyer_of_the_tenant_is_a_stranger_too(
    world: World, pattern: str, method: str
) -> None:
    entry, a = API[pattern, method], world.a
    own = entry.shared or entry.lists
    with undone():
        answer = call(entry, method, fill(entry.path, a), a.secrets["other_key"], a)
        assert own or world.changes() == []
    if entry.shared:
        assert answer.status_code in entry.good
    elif entry.lists:
        assert a["order"].po_number.encode() not in answer.content
        assert str(a["endpoint"].public_id).encode() not in answer.content
    else:
        assert answer.status_code == 404


@every_route
def test_with_the_own_key_it_works(world: World, pattern: str, method: str) -> None:
    """Else the refusals above might be refusals of a wrong request."""
    entry, a = API[pattern, method], world.a
    with undone():
        answer = call(entry, method, fill(entry.path, a), a.secrets["key"], a)
        assert answer.status_code in entry.good, answer.content
        if method == "get":
            assert leaks(answer, a.marks())


@every_route
def test_without_a_key_nobody_comes_in(world: World, pattern: str, method: str) -> None:
    entry, a = API[pattern, method], world.a
    whole = a.secrets["key"]
    _, tenant, lookup, secret = whole.split("_")
    others = f"vrp_{world.b.tenant.pk}_{lookup}_{secret}"
    with world.unchanged():
        for key in (
            "",
            whole[:-1] + "0",
            others,
            "vrp_1_2_3",
            f"vrp_{tenant}__{secret}",
        ):
            if key == whole:
                continue
            answer = call(entry, method, fill(entry.path, a), key, a)
            assert answer.status_code == 401, key
            assert not leaks(answer, a.marks())


@every_route
def test_a_key_without_scopes_may_nothing(
    world: World, pattern: str, method: str
) -> None:
    entry, a = API[pattern, method], world.a
    with undone():
        with tenant_scope(a.tenant):
            ApiKey.objects.update(scopes=[])
        before = world.fingerprint()
        answer = call(entry, method, fill(entry.path, a), a.secrets["key"], a)
        assert answer.status_code == 403
        assert not leaks(answer, a.marks())
        assert world.fingerprint() == before


@every_route
def test_other_methods_are_refused(world: World, pattern: str, method: str) -> None:
    entry, a = API[pattern, method], world.a
    here = {m for p, m in API if p == pattern}
    with world.unchanged():
        for other in {"get", "post", "put", "patch", "delete"} - here:
            answer = call(entry, other, fill(entry.path, a), a.secrets["key"], a)
            assert answer.status_code == 405, other
