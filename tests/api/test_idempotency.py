"""The same request sent twice is done once."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from orders.api.idempotency import do_once
from orders.clock import purge_idempotency_keys
from orders.models import IdempotencyRecord, Order
from orders.services.idempotency import InProgress, _retake
from tests.api.conftest import Api, World, build_world, order_body
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db


def test_a_repeat_replays_the_answer_byte_for_byte(world: World, api: Api) -> None:
    body = order_body()
    first = api.place(body, key="k1")
    before = world.counts()
    second = api.place(dict(reversed(body.items())), key="k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second["Location"] == first["Location"]
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert world.counts() == before


def test_another_body_under_the_same_key_is_refused(world: World, api: Api) -> None:
    api.place(key="k1")
    before = world.counts()
    response = api.place(key="k1")
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "idempotency_mismatch"
    assert world.counts() == before


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "ké"])
def test_a_key_is_required(world: World, api: Api, key: str) -> None:
    before = world.counts()
    response = api.post("/api/v1/orders", order_body(), Idempotency_Key=key)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "idempotency_key_required"
    assert world.counts() == before


def test_keys_of_other_buyers_are_their_own(world: World, api: Api) -> None:
    body = order_body()
    first = api.place(body, key="k1").json()
    assert world.rival.place(body, key="k1").json()["id"] != first["id"]
    assert world.stranger.place(body, key="k1").json()["id"] != first["id"]


def test_a_final_refusal_is_replayed(api: Api) -> None:
    body = order_body(lines=[{"sku": "NO-1", "quantity": 1}])
    first, second = api.place(body, key="k1"), api.place(body, key="k1")
    assert (first.status_code, second.status_code) == (422, 422)
    assert second["Idempotency-Replayed"] == "true"
    assert second.content == first.content


def test_a_conflict_is_not_stored(world: World, api: Api) -> None:
    made = api.place(po_number="PO-X").json()
    body = order_body(po_number="PO-X")
    assert api.place(body, key="k2").status_code == 409
    with tenant_scope(world.tenant):
        Order.objects.filter(public_id=made["id"]).update(
            po_number="PO-Y", po_key="po-y"
        )
    assert api.place(body, key="k2").status_code == 201


def test_a_request_that_breaks_can_be_sent_again(
    world: World, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**kwargs):
        raise RuntimeError("broken")

    body = order_body()
    api.client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("orders.api.orders.place_order", broken)
        response = api.place(body, key="k1")
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "server_error"
    assert api.place(body, key="k1").status_code == 201


def in_flight(world: World, api: Api, body: dict, age: timedelta) -> None:
    """Leave the row of a request whose process is at work, or died."""
    api.place(body, key="k1")
    with tenant_scope(world.tenant):
        IdempotencyRecord.objects.update(
            status=None, body=None, created_at=timezone.now() - age
        )
        order = Order.objects.get()
        order.po_number, order.po_key = "moved away", None
        order.save()


def test_a_twin_in_flight_is_told_to_wait(world: World, api: Api) -> None:
    body = order_body()
    in_flight(world, api, body, timedelta(seconds=10))
    before = world.counts()
    response = api.place(body, key="k1")
    assert response.status_code == 409
    assert response.json()["error"]["code"] == "idempotency_in_progress"
    assert int(response["Retry-After"]) >= 1
    assert world.counts() == before


def test_a_crashed_twin_is_taken_over_after_a_minute(world: World, api: Api) -> None:
    body = order_body()
    in_flight(world, api, body, timedelta(seconds=61))
    assert api.place(body, key="k1").status_code == 201
    assert api.place(body, key="k1")["Idempotency-Replayed"] == "true"


def test_only_one_takes_over(world: World, api: Api) -> None:
    in_flight(world, api, order_body(), timedelta(seconds=61))
    with tenant_scope(world.tenant):
        row = IdempotencyRecord.objects.get()
        _retake(row, timezone.now())
        with pytest.raises(InProgress):
            _retake(row, timezone.now())


def test_who_lost_the_key_does_nothing(
    world: World, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request so slow that another took its key over rolls its order back."""

    def slow(request, api_key, work):
        def work_while_another_takes_over():
            done = work()
            IdempotencyRecord.objects.update(created_at=timezone.now())
            return done

        return do_once(request, api_key, work_while_another_takes_over)

    before = world.counts()
    monkeypatch.setattr("orders.api.orders.do_once", slow)
    assert api.place(key="k1").status_code == 409
    assert world.counts() == before


def test_answers_are_forgotten_after_a_day(world: World, api: Api) -> None:
    api.place(key="k1")
    world.stranger.place(key="k1")
    api.place(key="k2")
    with tenant_scope(world.tenant):
        IdempotencyRecord.objects.filter(key="k1").update(
            created_at=timezone.now() - timedelta(hours=25)
        )
    assert purge_idempotency_keys() == {"soko": 1, "addis": 0}
    with tenant_scope(world.tenant):
        assert IdempotencyRecord.objects.get().key == "k2"


@pytest.mark.django_db(transaction=True)
def test_parallel_twins_make_one_order() -> None:
    world, body, statuses = build_world(), order_body(), []
    start = threading.Barrier(4)

    def send() -> None:
        try:
            start.wait(5)
            statuses.append(Api(world.api.key).place(body, key="k1").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(statuses) == 4
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    with tenant_scope(world.tenant):
        assert Order.objects.count() == 1
