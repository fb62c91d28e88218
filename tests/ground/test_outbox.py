"""The outbox survives a lost broker, a lost worker and being told twice."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Thread

import pytest
import redis
from django.conf import settings
from django.core.cache.backends.dummy import DummyCache
from django.utils import timezone
from django_q.brokers import get_broker
from kombu import pools

from orders.models import WebhookDelivery, WebhookEndpoint
from tests.builders import Network
from vrp.celery import app
from vrp.events import outbox
from vrp.events.tasks import work
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db
OPTIONS = "broker_transport_options"
delivered: list[int] = []
lost: list[int] = []


def deliver(row: WebhookDelivery) -> None:
    delivered.append(row.pk)
    row.state = "delivered"
    row.save(update_fields=["state"])


def give_back(row: WebhookDelivery) -> None:
    lost.append(row.pk)
    row.state = "queued"
    row.save(update_fields=["state"])


@pytest.fixture(autouse=True)
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_outboxes", {})
    monkeypatch.setattr(outbox, "_rests_until", 0.0)
    outbox.register(
        outbox.Outbox(
            name="test",
            model=WebhookDelivery,
            ready=("queued",),
            claimed="sending",
            deliver=deliver,
            on_lost=give_back,
        )
    )
    delivered.clear()
    lost.clear()


@pytest.fixture
def row(network: Network) -> WebhookDelivery:
    endpoint = WebhookEndpoint.objects.create(
        tenant=network.tenant, buyer=network.buyer, url="http://127.0.0.1/", secret="x"
    )
    return WebhookDelivery.objects.create(
        tenant=network.tenant, endpoint=endpoint, event_name="x", payload={}
    )


def test_told_twice_it_acts_once(tenant: Tenant, row: WebhookDelivery) -> None:
    work("test", tenant.pk, row.pk)
    work("test", tenant.pk, row.pk)
    assert delivered == [row.pk]
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("delivered", 1)


def test_not_before_its_time(tenant: Tenant, row: WebhookDelivery) -> None:
    row.due_at = timezone.now() + timedelta(minutes=5)
    row.save()
    assert outbox.run("test", row.pk) is False
    assert delivered == []


def test_the_sweep_hands_over_what_was_forgotten(
    tenant: Tenant, row: WebhookDelivery
) -> None:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    assert outbox.sweep(tenant)["again"] == 0, "fresh rows are left to their task"
    row.due_at = timezone.now() - timedelta(minutes=1)
    row.save()
    assert outbox.sweep(tenant)["again"] == 1
    queued = sum(client.llen(key) for key in client.keys("work*"))
    client.flushdb()
    assert queued == 1


def test_a_lost_lease_goes_to_its_own_rule(
    tenant: Tenant, row: WebhookDelivery
) -> None:
    assert outbox.claim(outbox.outboxes()[0], row.pk) is not None
    assert outbox.sweep(tenant)["lost"] == 0, "the worker still holds it"
    WebhookDelivery.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert outbox.sweep(tenant)["lost"] == 1
    assert lost == [row.pk]


def test_without_redis_enqueueing_does_not_fail(
    tenant: Tenant,
    row: WebhookDelivery,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks,  # type: ignore[no-untyped-def]
) -> None:
    from vrp.celery import app

    away = app.connection_for_write("redis+socket:///nowhere/redis.sock")
    monkeypatch.setattr(work, "apply_async", partial(work.apply_async, connection=away))
    with django_capture_on_commit_callbacks(execute=True):
        outbox.enqueue("test", row)
    row.refresh_from_db()
    assert row.state == "queued"


def test_the_oldest_due_row_is_known(tenant: Tenant, row: WebhookDelivery) -> None:
    assert outbox.oldest_due(tenant) < timedelta(seconds=60)
    row.due_at = timezone.now() - timedelta(hours=1)
    row.save()
    assert outbox.oldest_due(tenant) >= timedelta(hours=1)


@pytest.fixture
def hanging_broker() -> Iterator[list]:
    """A Redis that accepts connections and never says a word; those it has."""
    silent = socket.socket(socket.AF_UNIX)
    # The folder's own path may be too long for a socket.
    folder = tempfile.mkdtemp(prefix="vrp-hang-")
    silent.bind(f"{folder}/s")
    silent.listen(50)
    before = {name: app.conf[name] for name in ("broker_url", OPTIONS)}
    app.conf["broker_url"] = f"redis+socket://{folder}/s"
    app.conf[OPTIONS] = {**before[OPTIONS], "socket_timeout": 0.5}
    _forget_connections()
    asked: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                asked.append(silent.accept()[0])

    thread = Thread(target=accept, daemon=True)
    thread.start()
    yield asked
    silent.shutdown(socket.SHUT_RDWR)
    silent.close()
    thread.join(timeout=5)
    for connection in asked:
        connection.close()
    app.conf.update(before)
    _forget_connections()
    shutil.rmtree(folder)


def _forget_connections() -> None:
    pools.reset()
    app._pool = None
    app.amqp._producer_pool = None


def test_a_broker_that_hangs_is_waited_for_once(hanging_broker: list) -> None:
    outbox.hand_over("test", 1, 1)
    tries = len(hanging_broker)
    assert tries > 0
    for row_id in range(2, 20):
        outbox.hand_over("test", 1, row_id)
    assert len(hanging_broker) == tries


def test_the_clock_needs_no_redis() -> None:
    assert get_broker().cache.__class__ is DummyCache
