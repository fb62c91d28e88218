"""Webhooks: registered, queued with the change, signed, tried again, replayed."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from orders import outgoing
from orders.enums import WebhookState
from orders.models import Order, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from orders.services.placing import cancel_order
from orders.services.webhooks import (
    EVENTS,
    MAX_ENDPOINTS,
    purge_deliveries,
    remove_endpoint,
    replay_delivery,
)
from orders.webhooks import BACKOFF, sign
from tests.api.conftest import Api, World, build_world
from tests.api.receiver import Receiver, receiving
from tests.builders import SYSTEM
from tests.standin import until
from vrp.events import outbox
from vrp.events.models import Event
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _embedded(settings: Any) -> None:
    """Loopback may be told; the tests of refusal switch this off."""
    settings.EMBEDDED = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def register(api: Api, url: str, *events: str) -> dict:
    response = api.post("/api/v1/webhooks", {"url": url, "events": list(events)})
    assert response.status_code == 201
    return response.json()


def run_due(world: World) -> WebhookDelivery:
    """Work on the only delivery, as a worker would when it is due."""
    with tenant_scope(world.tenant):
        row = WebhookDelivery.objects.get()
        WebhookDelivery.objects.update(due_at=timezone.now())
        assert outbox.run("webhook", row.pk)
        row.refresh_from_db()
        return row


def expected(secret: str, headers: dict[str, str], body: bytes) -> str:
    """The signature, computed as a receiver would from the specification."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join(
        [headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body]
    )
    mac = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


def test_the_signature_is_that_of_the_specification() -> None:
    """The published vector of Standard Webhooks."""
    given = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_secret_is_shown_once_and_stored_encrypted(world: World, api: Api) -> None:
    made = register(api, "http://127.0.0.1:9/h", "order.shipped")
    assert made["secret"].startswith("whsec_")
    assert len(base64.b64decode(made["secret"][6:])) == 32
    path = f"/api/v1/webhooks/{made['id']}"
    assert "secret" not in api.get(path).json()
    assert "secret" not in api.get("/api/v1/webhooks").content.decode()
    with tenant_scope(world.tenant):
        stored = WebhookEndpoint.objects.get().secret
    assert made["secret"] not in stored


def test_an_order_is_told_signed_to_who_asked(
    world: World, api: Api, receiver: Receiver
) -> None:
    made = register(api, receiver.url, "order.placed")
    register(api, receiver.url, "order.shipped")
    register(world.rival, receiver.url)
    register(world.stranger, receiver.url)
    order = api.place().json()
    row = run_due(world)
    assert row.state == WebhookState.DELIVERED
    ((headers, body),) = receiver.got
    assert headers["webhook-id"] == str(row.public_id)
    assert headers["content-type"] == "application/json"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert headers["webhook-signature"] == expected(made["secret"], headers, body)
    assert headers["webhook-signature"] != expected("whsec_AAAA", headers, body)
    told = json.loads(body)
    assert told["type"] == "order.placed"
    assert told["data"]["order"]["id"] == order["id"]
    assert told["data"]["order"]["state"] == "placed"
    seen = api.get(f"/api/v1/webhooks/{made['id']}/deliveries").json()["results"]
    assert [(one["event"], one["state"], one["response_status"]) for one in seen] == [
        ("order.placed", "delivered", 200)
    ]


def test_every_event_reaches_an_endpoint_that_asked_for_none(
    world: World, api: Api
) -> None:
    register(api, "http://127.0.0.1:9/h")
    made = api.place().json()
    with tenant_scope(world.tenant):
        order = Order.objects.get(public_id=made["id"])
        cancel_order(order=order, actor=SYSTEM, reason="test")
        names = WebhookDelivery.objects.order_by("pk").values_list("event_name")
        assert [name for (name,) in names] == ["order.placed", "order.cancelled"]


def test_a_rolled_back_change_tells_nobody(world: World, api: Api) -> None:
    register(api, "http://127.0.0.1:9/h")
    api.place(lines=[{"sku": "NO-1", "quantity": 1}])
    assert world.counts()["webhookdelivery"] == 0


def test_failures_back_off_with_the_same_id_until_given_up(
    world: World, api: Api, receiver: Receiver
) -> None:
    register(api, receiver.url)
    api.place()
    receiver.answers = [500, 302, 404, 500, 429, 503, 400, 500]
    for attempt, wait in enumerate(BACKOFF, start=1):
        began = timezone.now()
        row = run_due(world)
        assert (row.state, row.attempts) == (WebhookState.QUEUED, attempt)
        assert wait <= row.due_at - began < wait + timedelta(seconds=5)
    row = run_due(world)
    assert (row.state, row.attempts) == (WebhookState.FAILED, 8)
    assert len(receiver.got) == 8
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len({body for _, body in receiver.got}) == 1


def test_nobody_listening_is_a_failure_like_others(world: World, api: Api) -> None:
    register(api, "http://127.0.0.1:9/h")
    api.place()
    row = run_due(world)
    assert (row.state, row.response_status) == (WebhookState.QUEUED, None)
    assert row.last_error == "No answer: ConnectionRefusedError."


def test_gone_disables_the_endpoint(world: World, api: Api, receiver: Receiver) -> None:
    made = register(api, receiver.url)
    api.place()
    receiver.answers = [410]
    assert run_due(world).state == WebhookState.FAILED
    path = f"/api/v1/webhooks/{made['id']}"
    assert api.get(path).json()["disabled_at"] is not None
    api.place()
    assert world.counts()["webhookdelivery"] == 1
    (row,) = api.get(f"{path}/deliveries?state=failed").json()["results"]
    replay = api.send("post", f"{path}/deliveries/{row['id']}/replay")
    assert replay.status_code == 409


def test_a_replay_sends_again_under_the_same_id(
    world: World, api: Api, receiver: Receiver
) -> None:
    made = register(api, receiver.url)
    api.place()
    row = run_due(world)
    path = f"/api/v1/webhooks/{made['id']}/deliveries/{row.public_id}/replay"
    answer = api.send("post", path)
    assert answer.status_code == 202
    assert answer.json()["state"] == "queued"
    assert answer.json()["attempts"] == 0
    assert run_due(world).state == WebhookState.DELIVERED
    assert [headers["webhook-id"] for headers, _ in receiver.got] == [
        str(row.public_id)
    ] * 2


def test_a_lost_attempt_is_queued_again(world: World, api: Api) -> None:
    register(api, "http://127.0.0.1:9/h")
    api.place()
    with tenant_scope(world.tenant):
        row = WebhookDelivery.objects.get()
        outbox.claim(outbox._outboxes["webhook"], row.pk)
        WebhookDelivery.objects.update(leased_until=timezone.now())
        assert outbox.sweep(world.tenant)["lost"] == 1
        row.refresh_from_db()
    assert (row.state, row.attempts) == (WebhookState.QUEUED, 1)


def test_a_worker_that_lost_its_row_writes_nothing(
    world: World, api: Api, receiver: Receiver
) -> None:
    register(api, receiver.url)
    api.place()
    with tenant_scope(world.tenant):
        box = outbox._outboxes["webhook"]
        row = outbox.claim(box, WebhookDelivery.objects.get().pk)
        assert row is not None
        later = timezone.now() + timedelta(minutes=5)
        WebhookDelivery.objects.update(leased_until=later, attempts=2)
        box.deliver(row)
        row.refresh_from_db()
    assert (row.state, row.attempts, row.leased_until) == (
        WebhookState.SENDING,
        2,
        later,
    )


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/h",
        "http:///h",
        "https://",
        "not a url",
        "http://user:pw@127.0.0.1/h",
        "http://127.0.0.1/h#part",
        "http://127.0.0.1:99999/h",
        "http://127.0.0.1:0/h",
        "http://[::1/h",
        "http://127.0.0.1/\x00",
        "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1/é",
        "http://" + "a" * 600,
        "",
    ],
)
def test_a_url_that_cannot_be_used_is_refused(world: World, api: Api, url: str) -> None:
    before = world.counts()
    response = api.post("/api/v1/webhooks", {"url": url})
    assert response.status_code == 422
    assert response.json()["error"]["details"][0]["field"] == "url"
    assert world.counts() == before


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "2130706433",
        "[::1]",
        "[fe80::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ],
)
def test_inner_addresses_are_refused(api: Api, settings: Any, host: str) -> None:
    settings.EMBEDDED = False
    response = api.post("/api/v1/webhooks", {"url": f"https://{host}/h"})
    assert response.status_code == 422


def test_plain_http_is_refused_beyond_one_machine(api: Api, settings: Any) -> None:
    settings.EMBEDDED = False
    response = api.post("/api/v1/webhooks", {"url": "http://93.184.216.34/h"})
    assert response.status_code == 422
    good = api.post("/api/v1/webhooks", {"url": "https://93.184.216.34/h"})
    assert good.status_code == 201


def test_the_address_is_checked_again_when_sending(
    world: World, api: Api, settings: Any
) -> None:
    register(api, "https://127.0.0.1:8443/h")
    api.place()
    settings.EMBEDDED = False
    row = run_due(world)
    assert row.state == WebhookState.QUEUED
    assert row.last_error == "The address is not on the public internet."


def test_a_name_that_changes_its_answer_reaches_nobody(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked once, and the connection goes to the answer that was judged."""
    settings.EMBEDDED = False
    told = iter(["93.184.216.34", "127.0.0.1"])
    reached: list[Any] = []

    def resolver(host: str, port: int, **kwargs: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(told), port))]

    def connect(address: Any, **kwargs: Any) -> None:
        reached.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", resolver)
    monkeypatch.setattr(outgoing.socket, "create_connection", connect)
    with pytest.raises(ConnectionRefusedError):
        outgoing.post("https://rebind.example.com/h", body=b"{}", headers={})
    assert reached == [("93.184.216.34", 443)]
    with pytest.raises(outgoing.Refused, match="public internet"):
        outgoing.post("https://rebind.example.com/h", body=b"{}", headers={})
    assert len(reached) == 1


def test_one_inner_address_among_public_ones_is_enough(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMBEDDED = False
    rows = [(2, 1, 6, "", (ip, 443)) for ip in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *a, **k: rows)
    with pytest.raises(outgoing.Refused):
        outgoing.check_url("https://both.example.com/h")


@pytest.mark.parametrize(
    "url",
    [
        "https://u:p@example.com/h",
        "https://@example.com/h",
        "https://example.com:22/h",
        "https://example.com:80/h",
        "https://example.com:0/h",
        "https://example.com:99999/h",
        "https://example.com/h#part",
        "https://0177.0.0.1/h",
        "https://0x7f.1/h",
        "https://0x7f000001/h",
        "https://127.1/h",
        "https://93.184.216.34.1/h",
        "https://intranet/h",
        "https://example.com\\@127.0.0.1/h",
        "https://exa\u1e41ple.com/h",
        "https:///h",
        "ftp://example.com/h",
        "gopher://example.com/h",
    ],
)
def test_odd_addresses_are_refused(url: str, settings: Any) -> None:
    settings.EMBEDDED = False
    with pytest.raises(outgoing.Refused):
        outgoing.destination(url)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("168.63.129.16", False),
        ("192.88.99.1", False),
        ("198.18.0.1", False),
        ("255.255.255.255", False),
        ("fd00:ec2::254", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::7f00:1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:0:a00:1", False),
        ("5f00::1", False),
        ("3fff::1", False),
        ("100:0:0:1::1", False),
        ("::5efe:7f00:1", False),
        ("2606:4700::5efe:7f00:1", False),
        ("2606:4700::200:5efe:7f00:1", False),
        ("64:ff9b:1::a00:1", False),
        ("2001:0:7f00:1::", False),
        ("2002:a00:1::", False),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert outgoing.is_public(address) is public


def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert outgoing.post(receiver.url, body=b"{}", headers={}).status == 200


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: "])
def test_a_slow_receiver_does_not_hold_a_worker(
    monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    """One says nothing; one sends a letter every now and then for ever."""
    monkeypatch.setattr(outgoing, "ANSWER_SECONDS", 0.6)
    done = threading.Event()

    def drip(server: socket.socket) -> None:
        link, _ = server.accept()
        with link:
            link.sendall(words)
            while words and not done.wait(0.1):
                try:
                    link.sendall(b"x")
                except OSError:
                    return
            done.wait(5)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=[server])
        thread.start()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            outgoing.post(
                f"http://127.0.0.1:{server.getsockname()[1]}", body=b"{}", headers={}
            )
        assert time.monotonic() - began < 3
        done.set()
        thread.join(5)


def test_an_endless_answer_is_not_read(world: World) -> None:
    def flood(server: socket.socket) -> None:
        link, _ = server.accept()
        with link, suppress(OSError):
            link.sendall(b"HTTP/1.1 500 Oops\r\n\r\n")
            while True:
                link.sendall(b"0123456789 " * 10_000)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=flood, args=[server])
        thread.start()
        answer = outgoing.post(
            f"http://127.0.0.1:{server.getsockname()[1]}", body=b"{}", headers={}
        )
        thread.join(5)
    assert (answer.status, len(answer.text)) == (500, outgoing.ANSWER_BYTES)


def test_each_attempt_is_written_down_without_secrets(
    world: World, api: Api, receiver: Receiver
) -> None:
    register(api, receiver.url)
    api.place()
    receiver.answers = [500]
    receiver.body = (
        b'no,\n {"api_key": "hunter2", "id": "a1b2c3d4e5f6a7b8c9d0e1f2"}\x00'
    )
    run_due(world)
    receiver.body = b""
    row = run_due(world)
    with tenant_scope(world.tenant):
        first, second = WebhookAttempt.objects.filter(delivery=row)
    assert (first.number, first.status, first.error) == (1, 500, "")
    assert first.answer == 'no, {"api_key": "[...]", "id": "[...]"}'
    assert (second.number, second.status, second.answer) == (2, 200, "")


def test_nobody_there_is_written_down_too(world: World, api: Api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    register(api, f"http://127.0.0.1:{port}")
    api.place()
    run_due(world)
    with tenant_scope(world.tenant):
        (tried,) = WebhookAttempt.objects.all()
    assert (tried.status, tried.error) == (None, "No answer: ConnectionRefusedError.")


def test_both_secrets_sign_for_a_day(
    world: World, api: Api, receiver: Receiver
) -> None:
    old = register(api, receiver.url)
    path = f"/api/v1/webhooks/{old['id']}/rotate-secret"
    new = api.post(path, None).json()
    assert new["secret"].startswith("whsec_")
    assert new["secret"] != old["secret"]
    api.place()
    row = run_due(world)
    headers, body = receiver.got[-1]
    assert headers["webhook-signature"].split() == [
        expected(new["secret"], headers, body),
        expected(old["secret"], headers, body),
    ]
    with tenant_scope(world.tenant):
        WebhookEndpoint.objects.update(old_secret_until=timezone.now())
        replay_delivery(delivery=row, actor=SYSTEM)
    run_due(world)
    headers, body = receiver.got[-1]
    assert headers["webhook-signature"] == expected(new["secret"], headers, body)
    with tenant_scope(world.tenant):
        purge_deliveries(world.tenant)
        assert WebhookEndpoint.objects.get().old_secret == ""
        assert Event.objects.filter(name="webhook.secret_rotated").count() == 1


def test_old_deliveries_are_purged_and_waiting_ones_stay(
    world: World, api: Api, receiver: Receiver, settings: Any
) -> None:
    settings.WEBHOOK_KEEP_DAYS = 30
    register(api, receiver.url)
    for _ in range(3):
        api.place()
    with tenant_scope(world.tenant):
        told, waiting, young = WebhookDelivery.objects.order_by("pk")
        outbox.run("webhook", told.pk)
        outbox.run("webhook", young.pk)
        old = timezone.now() - timedelta(days=31)
        WebhookDelivery.objects.exclude(pk=young.pk).update(created_at=old)
        assert purge_deliveries(world.tenant) == 1
        left = set(WebhookDelivery.objects.values_list("pk", flat=True))
        assert left == {waiting.pk, young.pk}
        assert {one.delivery_id for one in WebhookAttempt.objects.all()} == {young.pk}


def test_a_buyer_has_so_many_endpoints(world: World, api: Api) -> None:
    for _ in range(MAX_ENDPOINTS):
        register(api, "http://127.0.0.1:9/h")
    response = api.post("/api/v1/webhooks", {"url": "http://127.0.0.1:9/h"})
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "limit_reached"
    assert world.counts()["webhookendpoint"] == MAX_ENDPOINTS


def test_unknown_events_are_refused(api: Api) -> None:
    body = {"url": "http://127.0.0.1:9/h", "events": ["order.placed", "job.offered"]}
    response = api.post("/api/v1/webhooks", body)
    assert response.status_code == 422
    assert response.json()["error"]["details"][0]["field"] == "events[1]"


def test_deleting_takes_the_deliveries_along(world: World, api: Api) -> None:
    made = register(api, "http://127.0.0.1:9/h")
    api.place()
    path = f"/api/v1/webhooks/{made['id']}"
    assert api.delete(path).status_code == 204
    assert api.delete(path).status_code == 404
    counts = world.counts()
    assert (counts["webhookendpoint"], counts["webhookdelivery"]) == (0, 0)
    with tenant_scope(world.tenant):
        names = Event.objects.filter(subject_type="webhookendpoint").order_by("id")
        assert [event.name for event in names] == [
            "webhook.registered",
            "webhook.removed",
        ]


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_of_lists_do_not_grow(
    api: Api, rows: int, django_assert_num_queries
) -> None:
    for _ in range(rows):
        made = register(api, "http://127.0.0.1:9/h")
    for _ in range(rows):
        api.place()
    with django_assert_num_queries(3):  # tenant, key, endpoints
        assert len(api.get("/api/v1/webhooks").json()["results"]) == rows
    path = f"/api/v1/webhooks/{made['id']}/deliveries"
    with django_assert_num_queries(4):  # tenant, key, endpoint, deliveries
        assert len(api.get(path).json()["results"]) == rows


def test_pages_of_deliveries(api: Api) -> None:
    made = register(api, "http://127.0.0.1:9/h")
    for _ in range(3):
        api.place()
    path = f"/api/v1/webhooks/{made['id']}/deliveries"
    first = api.get(f"{path}?page_size=2").json()
    second = api.get(first["next"]).json()
    ids = [row["id"] for page in (first, second) for row in page["results"]]
    assert len(set(ids)) == 3
    assert second["next"] is None
    assert api.get(f"{path}?cursor=WyJ4Il0").status_code == 400


def waits_for_a_lock() -> bool:
    """Whether another connection waits for something that this transaction holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted"
            " AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        return cursor.fetchone()[0] > 0


@pytest.mark.django_db(transaction=True)
def test_an_endpoint_deleted_meanwhile_never_breaks_an_order() -> None:
    """Deleting waits for the order that is queueing a delivery, and takes it along."""
    world = build_world()
    register(world.api, "http://127.0.0.1:9/h")

    def delete() -> None:
        try:
            with tenant_scope(world.tenant):
                endpoint = WebhookEndpoint.objects.get()
                remove_endpoint(endpoint=endpoint, actor=SYSTEM)
        finally:
            connection.close()

    thread = threading.Thread(target=delete)
    with tenant_scope(world.tenant):
        with transaction.atomic():
            assert world.api.place().status_code == 201
            thread.start()
            until(waits_for_a_lock)
        thread.join(10)
        assert not thread.is_alive()
        assert Order.objects.count() == 1
        assert WebhookEndpoint.objects.count() == 0
        assert WebhookDelivery.objects.count() == 0


def test_events_are_those_that_orders_record() -> None:
    assert set(EVENTS) == {
        f"order.{state}"
        for state in ("placed", "in_production", "ready", "shipped", "cancelled")
    }
