"""A list takes as many queries for three rows as for one: every console list there is."""

from django.db import transaction

from artisans.models import Workshop
from bench.lab import Laboratory
from bench.multiply import Growth
from bench.pages import Page, Visitor
from bench.scenery import Scenery, grown
from orders.models import Job, Order
from payments.models import Payout
from phone.models import Message
from qc.models import Batch
from tests.isolation import rows  # noqa: F401 - declares how each model's row is made
from tests.isolation.table import CONSOLE
from tests.isolation.world import build_side
from vrp.tenancy.scope import tenant_scope


def test_queries_of_console_lists_do_not_grow(lab: Laboratory) -> None:
    """A tenant with a row of every model, against the same with three of each.

    The addresses are those of the isolation tests' table that name no row, so that a new
    list is tried without being added here.
    """
    with transaction.atomic():  # an entry and its postings are judged together
        side = build_side("Zqcharlie", 7)
    one = Scenery(
        lab.database("single"),
        side.tenant.pk,
        side.secrets["key"],
        people={"boss": side.people["boss"].username},
    )
    three = grown(lab, one, "triple", 3, Growth.NETWORK)
    assert three.rows > 2 * one.rows
    for scenery, count in ((one, 1), (three, 3)):
        with lab.on(scenery.database), tenant_scope(side.tenant):
            for model in (Order, Job, Batch, Payout, Message, Workshop):
                times = model.objects.count() / len(
                    [row for row in side.rows.values() if isinstance(row, model)]
                )
                assert times >= count, model
    few, many = (
        Visitor(
            lab,
            one,
        ),
        Visitor(lab, three),
    )
    lists = [
        Page(pattern, f"/{pattern}", "boss")
        for pattern, tried in CONSOLE.items()
        if tried.get and not tried.ids and "<" not in pattern
    ]
    assert len(lists) > 15
    found = {}
    for page in lists:
        for visitor in (few, many):
            visitor.opening(page)()  # what is read once a process is read now
        found[page.path] = (few.queries(page), many.queries(page))
    assert {path: both for path, both in found.items() if both[0] != both[1]} == {}
