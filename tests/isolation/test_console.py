"""Each console address as the other tenant, as each role, and as nobody."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.http import HttpResponse
from django.test import Client

from tests.isolation.conftest import World
from tests.isolation.prints import undone
from tests.isolation.routes import address, fill, filled
from tests.isolation.table import CONSOLE, Page
from tests.isolation.world import Side
from vrp.accounts import middleware
from vrp.accounts.enums import Role

READ = (200, 302)
# What a permitted post may end in: done, or refused for what it says.
TAKEN = (200, 302, 409, 422)
every_page = pytest.mark.parametrize("pattern", sorted(CONSOLE))


def form_of(page: Page, side: Side) -> dict[str, Any]:
    return {"_tenant": str(side.tenant.pk), **filled(page.form, side)}


def tries(page: Page) -> Iterator[str]:
    """The methods that exist here."""
    if page.get is not None:
        yield "get"
    if page.post is not None:
        yield "post"


def send(client: Client, method: str, url: str, form: Any = None) -> Any:
    return getattr(client, method)(url, form or {})


def leaks(answer: HttpResponse, marks: set[bytes]) -> set[bytes]:
    """The other tenant's marks in the bytes of an answer, headers included."""
    text = answer.content + repr(dict(answer.headers)).encode()
    return {mark for mark in marks if mark in text}


@every_page
def test_another_tenants_thing_is_not_found(world: World, pattern: str) -> None:
    page = CONSOLE[pattern]
    if not page.ids:
        return
    url = address(pattern, page.ids, world.a)
    with world.unchanged():
        for who in ("boss", "root", *Role):
            for method in tries(page):
                form = form_of(page, world.a) | {"_tenant": str(world.b.tenant.pk)}
                answer = send(world.b.client(who), method, url, form)
                many = who in ("boss", "root")
                good = (404,) if many else (403, 404)
                assert answer.status_code in good, (who, method)
                assert not leaks(answer, world.a.marks()), (who, method)


@every_page
def test_mixed_ids_are_not_found(world: World, pattern: str) -> None:
    """One's own thing with another tenant's thing below it, and the other way round."""
    page = CONSOLE[pattern]
    if len(page.ids) < 2:
        return
    with world.unchanged():
        for foreign in page.ids:
            mixed = Side("mixed", 0)
            mixed.rows = {
                row: (world.a if name == foreign else world.b)[row]
                for name, row in page.ids.items()
            }
            for method in tries(page):
                url = address(pattern, page.ids, mixed)
                answer = send(world.b.client("boss"), method, url, {})
                assert answer.status_code == 404, (foreign, method)
                assert not leaks(answer, world.a.marks())


@every_page
def test_no_page_shows_another_tenants_texts(world: World, pattern: str) -> None:
    page = CONSOLE[pattern]
    if page.get is None:
        return
    a, b = world
    with world.unchanged():
        own = a.client("boss").get(address(pattern, page.ids, a))
        assert own.status_code in READ
        shown = a.mark.encode() in own.content.replace(b"Zqalpha brand", b"")
        shown = (shown and b"Zqalpha boss" in own.content) or shown
        assert shown or not page.shows, "the page shows nothing to look for"
        url = address(pattern, page.ids, b)
        for who in ("boss", "field"):
            if who == "field" and Role.FIELD not in page.get:
                continue
            for search in ("", *(fill(query, a) for query in page.search)):
                answer = b.client(who).get(f"{url}?{search}")
                assert answer.status_code in (200, 404), search
                assert not leaks(answer, a.marks() - own_ids(search)), search


def own_ids(search: str) -> set[bytes]:
    """What was searched for stands in the search box again."""
    return {part.partition("=")[2].encode() for part in search.split("&")}


@every_page
def test_another_tenants_rows_are_not_taken_from_a_form(
    world: World, pattern: str
) -> None:
    page, (a, b) = CONSOLE[pattern], world
    url = address(pattern, page.ids, b)
    for name, row in page.foreign.items():
        theirs = fill("{" + row + "}", a)
        form = form_of(page, b)
        if name.endswith("}"):  # the row is named by the field itself
            form[fill(name, a)] = form.pop(fill(name, b))
        else:
            form[name] = theirs
        with world.unchanged():
            answer = b.client("boss").post(url, form)
            assert answer.status_code in (*TAKEN, 404), name
            # What was typed may stand in the page again.
            shown = {mark for mark in a.marks() if mark not in theirs.encode()}
            assert not leaks(answer, shown), name


@every_page
@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_what_the_table_says(
    world: World, pattern: str, role: Role
) -> None:
    page, side = CONSOLE[pattern], world.a
    url, client = address(pattern, page.ids, side), side.client(role)
    with world.unchanged():
        answer = client.get(url)
        if page.get is None:
            assert answer.status_code in (403, 404, 405)
        elif role in page.get:
            assert answer.status_code in READ
        else:
            assert answer.status_code == 403
    form = form_of(page, side)
    if page.post is not None and role in page.post:
        with undone():
            assert client.post(url, form).status_code in TAKEN
        return
    with world.unchanged():
        answer = client.post(url, form)
        assert answer.status_code in ((403,) if page.post else (403, 405))


@every_page
def test_what_is_permitted_does_something(world: World, pattern: str) -> None:
    """Else the refusals above might be refusals of a wrong form."""
    page, side = CONSOLE[pattern], world.a
    if page.post is None:
        return
    url = address(pattern, page.ids, side)
    for role in page.post:
        with undone():
            side.client(role).post(url, form_of(page, side))
            assert world.changes(of=side)


@every_page
def test_a_stranger_is_sent_to_the_door(world: World, pattern: str) -> None:
    page, side = CONSOLE[pattern], world.a
    url = address(pattern, page.ids, side)
    with world.unchanged():
        for method in ("get", "post"):
            form = form_of(page, side) if method == "post" else {}
            answer = send(Client(), method, url, form)
            assert answer.status_code in (302, 405), method
            if answer.status_code == 302:
                assert "/ops/sign-in/" in answer.url or "/login/" in answer.url
            assert not leaks(answer, side.marks())
        answer = side.client("nobody").get(url)
        assert answer.status_code in (302, 403, 405)


@every_page
def test_a_field_worker_sees_her_regions_only(world: World, pattern: str) -> None:
    page, side = CONSOLE[pattern], world.a
    client = side.client(Role.FIELD)
    if page.far:
        url = address(pattern, page.far, side)
        with world.unchanged():
            for method in tries(page):
                answer = send(client, method, url, form_of(page, side))
                assert answer.status_code in (403, 404), method
                assert side.far.encode() not in answer.content


@pytest.mark.parametrize(
    "pattern",
    [
        "ops/",
        "ops/workshops/",
        "ops/deliveries/",
        "ops/deliveries/walk-in/",
        "ops/jobs/",
        "ops/batches/",
        "ops/rework/",
        "ops/messages/",
    ],
)
def test_lists_of_workshops_are_limited_to_regions(world: World, pattern: str) -> None:
    page, side = CONSOLE[pattern], world.a
    url = address(pattern, page.ids, side)
    for search in ("", "state=all", *(fill(query, side) for query in page.search)):
        answer = side.client(Role.FIELD).get(f"{url}?{search}")
        assert side.far.encode() not in answer.content, search
        whole = side.client("boss").get(url).content
        assert pattern in ("ops/", "ops/rework/") or side.far.encode() in whole


def test_a_refused_post_is_logged_with_who_and_where(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no event: who may change nothing adds nothing to the record either."""
    noted: list[tuple[str, dict[str, Any]]] = []

    def note(event: str, **values: Any) -> None:
        noted.append((event, values | structlog.contextvars.get_contextvars()))

    monkeypatch.setattr(middleware.log, "warning", note, raising=False)
    auditor, side = world.a.people["auditor"], world.a
    paths = (
        f"/ops/jobs/{side.pk('offer')}/withdraw/",
        "/ops/office/artisans/area/add/",
    )
    with world.unchanged():
        for path in paths:
            assert side.client("auditor").post(path, {}).status_code == 403
    assert [(event, values["path"]) for event, values in noted] == [
        ("console.write_refused", path) for path in paths
    ]
    assert {values["actor"] for _, values in noted} == {f"user:{auditor.pk}"}
    assert {tuple(values["roles"]) for _, values in noted} == {("auditor",)}
