"""Two of the same at the same moment: one row, and nothing for PostgreSQL to complain of.

A unique violation makes PostgreSQL write the whole statement to its log, with the phone
number and the words of the message.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections, transaction

from artisans.models import Workshop
from phone.models import DeliveryReport, Message
from phone.services import queue_message, take_inbound, take_report
from tests.builders import SYSTEM, build_network, build_tenant
from tests.standin import until
from vrp.events.models import Event
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)
Write = Callable[[Tenant, Workshop], Message | DeliveryReport]


def inbound(tenant: Tenant, workshop: Workshop) -> Message:
    return take_inbound(
        tenant=tenant, provider_id="in-1", sender=workshop.phone, text="JOBS"
    )


def queued(tenant: Tenant, workshop: Workshop) -> Message:
    return queue_message(
        tenant=tenant,
        workshop=workshop,
        template="jobs_none",
        values={},
        purpose="test:1",
        actor=SYSTEM,
    )


def reported(tenant: Tenant, workshop: Workshop) -> DeliveryReport:
    return take_report(
        tenant=tenant, provider_id="ATXid_1", status="Success", phone=workshop.phone
    )


@contextmanager
def refusals(refused: list[Exception]) -> Iterator[None]:
    """Collects what the database refuses on this thread's connection."""

    def watch(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        try:
            return execute(sql, params, many, context)
        except Exception as error:
            refused.append(error)
            raise

    with connection.execute_wrapper(watch):
        yield


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database())"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("write", "events"),
    [(inbound, ["message.received"]), (queued, ["message.queued"]), (reported, [])],
)
def test_the_second_writer_finds_the_first_row(write: Write, events: list[str]) -> None:
    tenant = build_tenant("soko")
    with tenant_scope(tenant):
        workshop = build_network(tenant).horn[0]
        before = Event.objects.count()
    written, go_on = threading.Event(), threading.Event()
    found: list[int] = []
    refused: list[Exception] = []

    def run(hold: bool) -> None:
        try:
            with tenant_scope(tenant), refusals(refused), transaction.atomic():
                found.append(write(tenant, workshop).pk)
                if hold:
                    written.set()
                    go_on.wait(20)
        finally:
            connections.close_all()

    first = threading.Thread(target=run, args=(True,))
    second = threading.Thread(target=run, args=(False,))
    first.start()
    assert written.wait(10)
    second.start()
    try:
        until(somebody_waits, 10)
    finally:
        go_on.set()
        first.join(20)
        second.join(20)
    assert refused == []
    assert len(found) == 2
    assert len(set(found)) == 1
    with tenant_scope(tenant):
        new = Event.objects.order_by("id")[before:]
        assert [event.name for event in new] == events
