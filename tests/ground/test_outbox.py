"""The outbox survives a lost broker, a lost worker and being told twice."""

from datetime import timedelta
from functools import partial

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from orders.models import WebhookDelivery, WebhookEndpoint
from tests.builders import Network
from vrp.events import outbox
from vrp.events.tasks import work
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db
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
