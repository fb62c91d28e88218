"""The carrier's and the wallet's callbacks, with one tenant's secret and another's ids."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from tests.isolation.conftest import World
from tests.isolation.prints import undone
from tests.isolation.test_console import leaks
from tests.isolation.world import Side

PHONE = ("ussd", "sms/inbound", "sms/delivery")
PAY = ("result", "timeout")
every_callback = pytest.mark.parametrize(
    ("edge", "name"),
    [*(("phone", name) for name in PHONE), *(("pay", name) for name in PAY)],
)


def bodies(name: str, side: Side) -> list[dict[str, Any]]:
    """What would come about this tenant's things."""
    phone = side["workshop"].phone
    if name == "ussd":
        form = {"sessionId": side["session"].session_id, "phoneNumber": phone}
        return [form | {"text": ""}, form | {"text": "1"}, form | {"sessionId": "new"}]
    if name == "sms/inbound":
        number = side["offer"].number
        return [
            {"from": phone, "id": side["read_message"].provider_id, "text": "hello"},
            {"from": side["near_workshop"].phone, "id": "x", "text": f"yes {number}"},
        ]
    if name == "sms/delivery":
        sent = side["wired_message"]
        form = {"id": sent.provider_id, "phoneNumber": sent.phone}
        return [form | {"status": "Success"}, form | {"status": "Failed"}]
    return [result(side, code) for code in ("0", "2040")]


def result(side: Side, code: str) -> dict[str, Any]:
    payout = side["silent_payout"]
    return {
        "Result": {
            "ResultType": 0,
            "ResultCode": code,
            "ResultDesc": "said",
            "OriginatorConversationID": str(payout.originator_id),
            "ConversationID": payout.conversation_id,
            "TransactionID": "QAB1CD2EF3",
            "ResultParameters": {
                "ResultParameter": [
                    {"Key": "TransactionAmount", "Value": payout.amount_minor // 100},
                    {"Key": "TransactionReceipt", "Value": "QAB1CD2EF3"},
                ]
            },
        }
    }


def post(edge: str, secret: str, name: str, body: dict[str, Any]) -> Any:
    url = f"/{edge}/{secret}/{name}"
    if edge == "phone":
        form = "application/x-www-form-urlencoded"
        return Client().post(url, urlencode(body), content_type=form)
    return Client().post(url, json.dumps(body), content_type="application/json")


@every_callback
def test_another_tenants_ids_do_nothing(world: World, edge: str, name: str) -> None:
    a, b = world
    for body in bodies(name, a):
        with undone():
            answer = post(edge, b.secrets[edge], name, body)
            assert answer.status_code == 200
            assert not leaks(answer, a.marks())
            assert world.changes(of=a) == []


@every_callback
def test_the_own_ids_do_something(world: World, edge: str, name: str) -> None:
    """Else the test above might try what does nothing anyway."""
    a, done = world.a, []
    for body in bodies(name, a):
        with undone():
            assert post(edge, a.secrets[edge], name, body).status_code == 200
            done += world.changes(of=a)
    assert done


@every_callback
def test_secrets_are_whole_and_of_their_edge(
    world: World, edge: str, name: str
) -> None:
    a, b = world
    other = "pay" if edge == "phone" else "phone"
    own, foreign = a.secrets[edge], b.secrets[edge]
    wrong = [
        f"{a.tenant.pk}-{foreign.partition('-')[2]}",
        f"{b.tenant.pk}-{own.partition('-')[2]}",
        a.secrets[other],
        own[:-1] + ("0" if own[-1] != "0" else "1"),
        own.partition("-")[2],
        "x",
    ]
    with world.unchanged():
        for secret in wrong:
            (body, *_) = bodies(name, a)
            answer = post(edge, secret, name, body)
            assert answer.status_code == 404, secret
            assert not leaks(answer, a.marks() - {secret.encode()})


@every_callback
def test_only_a_post_is_answered(world: World, edge: str, name: str) -> None:
    with world.unchanged():
        url = f"/{edge}/{world.a.secrets[edge]}/{name}"
        for method in ("get", "put", "patch", "delete"):
            assert getattr(Client(), method)(url).status_code in (404, 405)


@every_callback
def test_a_tenant_that_was_switched_off_hears_nothing(
    world: World, edge: str, name: str
) -> None:
    a = world.a
    with undone():
        type(a.tenant).objects.filter(pk=a.tenant.pk).update(is_active=False)
        before = world.fingerprint()
        for body in bodies(name, a):
            assert post(edge, a.secrets[edge], name, body).status_code == 404
        assert world.fingerprint() == before
