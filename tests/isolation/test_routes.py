"""Each address has an entry, and the entries say what the permissions say."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path

from tests.isolation import table
from tests.isolation.routes import office_patterns, routes, without_entry
from vrp.accounts.enums import GRANTS, Permission, Role


def test_every_route_has_an_entry() -> None:
    assert without_entry(list(routes())) == set(), "see docs/architecture.md, Tenancy"


def test_a_route_without_an_entry_is_noticed() -> None:
    def stranger(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    more = routes([path("orders/<int:pk>/steal/", stranger)], "ops/")
    assert without_entry([*routes(), *more]) == {"ops/orders/<int:pk>/steal/"}


def test_no_entry_is_left_over() -> None:
    known = {route.pattern for route in routes()}
    named = {*table.CONSOLE, *table.ELSEWHERE, *(pattern for pattern, _ in table.API)}
    assert named - known == set()
    models = {model._meta.label for model in office_patterns().values()}
    assert set(table.OFFICE) == models


def test_the_walk_is_not_empty() -> None:
    assert len(list(routes())) > 200


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        (Permission.MANAGE_MEMBERS, table.MEMBERS),
        (Permission.MANAGE_KEYS, table.KEYS),
        (Permission.EDIT_NETWORK, table.NETWORK),
        (Permission.EDIT_CATALOGUE, table.CATALOGUE),
        (Permission.PLACE_ORDERS, table.PLACES),
        (Permission.PLAN, table.PLANS),
        (Permission.RECEIVE, table.RECEIVES),
        (Permission.GRADE, table.GRADES),
        (Permission.ASSEMBLE, table.ASSEMBLES),
        (Permission.MAKE_PAYOUTS, table.MAKES),
        (Permission.APPROVE_PAYOUTS, table.APPROVES),
        (Permission.SEND_MESSAGES, table.SENDS),
    ],
)
def test_the_sets_are_the_permissions(
    permission: Permission, roles: frozenset[Role]
) -> None:
    assert {role for role in Role if permission in GRANTS[role]} == roles


def test_maker_and_checker_are_never_one_role() -> None:
    assert set(GRANTS) == set(Role)
    assert not table.MAKES & table.APPROVES
    assert GRANTS[Role.AUDITOR] == frozenset()
