"""The event line: append-only, sealed into a chain, told to subscribers."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from artisans.models import Area
from tests.builders import SYSTEM
from vrp.events import services
from vrp.events.models import Event
from vrp.events.seal import seal, verify
from vrp.events.services import on, record
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def area(tenant: Tenant) -> Area:
    return Area.objects.create(tenant=tenant, code="x", name="x", region="x")


def write(area: Area, count: int = 3) -> None:
    for number in range(count):
        with transaction.atomic():
            record("test.done", subject=area, actor=SYSTEM, data={"n": number})


def tamper(sql: str) -> None:
    """What somebody with the database's owner role could do."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE events_event DISABLE TRIGGER events_append_only")
        cursor.execute(sql)
        cursor.execute("ALTER TABLE events_event ENABLE TRIGGER events_append_only")


def test_sealed_lines_form_a_chain_that_holds(tenant: Tenant, area: Area) -> None:
    write(area, 5)
    assert seal(tenant, limit=2) == 2
    assert seal(tenant) == 3
    assert seal(tenant) == 0
    assert verify(tenant) == (5, "")


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("UPDATE events_event SET data = '{\"n\": 9}' WHERE number = 3", 3),
        ("UPDATE events_event SET actor_label = 'x' WHERE number = 2", 2),
        ("DELETE FROM events_event WHERE number = 4", 4),
        ("UPDATE events_event SET hash = repeat('0', 64) WHERE number = 1", 1),
    ],
)
def test_the_first_broken_line_is_named(
    tenant: Tenant, area: Area, sql: str, line: int
) -> None:
    write(area, 6)
    seal(tenant)
    tamper(sql)
    held, fault = verify(tenant)
    assert held == line - 1
    assert f"line {line} " in fault
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_events", tenant="soko", stdout=out)
    assert f"line {line} " in out.getvalue()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM events_event",
        "UPDATE events_event SET reason = 'x'",
        "UPDATE events_event SET number = 99, hash = 'x', reason = 'x'",
    ],
)
def test_no_client_may_change_or_remove_a_line(
    tenant: Tenant, area: Area, sql: str
) -> None:
    write(area)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert Event.objects.filter(reason="").count() == 3


@pytest.mark.parametrize(
    ("number", "seal_text"),
    [("4", "f"), ("9223372036854775807", "f"), ("NULL", "f"), ("4", "")],
)
def test_no_line_arrives_sealed(
    tenant: Tenant, area: Area, number: str, seal_text: str
) -> None:
    write(area)
    seal(tenant)
    sql = f"""INSERT INTO events_event (tenant_id, name, subject_type, subject_id,
        actor_kind, actor_label, reason, data, at, number, hash)
        SELECT tenant_id, name, subject_type, subject_id, actor_kind, actor_label,
               reason, data, at, {number}, repeat('{seal_text}', 64)
        FROM events_event WHERE number = 3"""
    with (
        pytest.raises(DatabaseError, match="not sealed yet"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    write(area)
    assert seal(tenant) == 3
    assert verify(tenant) == (6, "")


@pytest.mark.parametrize("number", ["9223372036854775807", "5", "0", "-1"])
def test_no_line_is_sealed_apart_from_the_chain(
    tenant: Tenant, area: Area, number: str
) -> None:
    write(area)
    seal(tenant)
    write(area, 1)
    with (
        pytest.raises(DatabaseError, match="no line before"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"UPDATE events_event SET number = {number}, hash = repeat('f', 64)"
            " WHERE number IS NULL"
        )
    assert seal(tenant) == 1
    assert verify(tenant) == (4, "")


def test_a_failing_subscriber_undoes_the_change(
    tenant: Tenant, area: Area, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "_subscribers", services.defaultdict(list))

    @on("test.done")
    def fail(event: Event, subject: Area) -> None:
        raise LookupError(subject.code)

    with pytest.raises(LookupError, match="x"):
        write(area, 1)
    assert Event.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="outside a transaction"):
        record("test.done", subject=Area(pk=1), actor=SYSTEM)
