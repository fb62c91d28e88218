"""Sending SMS: shapes, refusals and the real SDK."""

import json
import re
from typing import Any

import pytest
import requests
from africastalking.Service import AfricasTalkingException
from africastalking.SMS import SMSService

from simulators import gsm
from tests.simulators.product import Product
from tests.standin import StandIn, until

PHONE = "+254712345678"


def send(standin: StandIn, key: str = "k", **fields: str) -> requests.Response:
    form = {"username": "soko", "to": PHONE, "message": "Habari", "from": "SOKO"}
    form |= {"bulkSMSMode": "1", "enqueue": "1"} | fields
    return requests.post(
        standin.url + "/version1/messaging",
        headers={"apiKey": key, "Accept": "application/json"},
        data={name: value for name, value in form.items() if value},
        timeout=5,
    )


def recipient(answer: requests.Response) -> dict[str, Any]:
    (entry,) = answer.json()["SMSMessageData"]["Recipients"]
    return dict(entry)


def service(standin: StandIn, username: str = "soko") -> SMSService:
    sdk = SMSService(username, "key")
    sdk._baseUrl = sdk._contentUrl = standin.url + "/version1"
    return sdk


def test_success_is_the_documented_body_to_the_byte(standin: StandIn) -> None:
    answer = send(standin)
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    entry = recipient(answer)
    assert re.fullmatch(r"ATXid_[0-9a-f]{32}", entry["messageId"])
    ours = ",".join(
        f"{json.dumps(key)}:{json.dumps(value)}" for key, value in entry.items()
    )
    assert answer.text == (
        '{"SMSMessageData":{"Message":"Sent to 1/1 Total Cost: KES 0.8000",'
        '"Recipients":[{' + ours + "}]}}"
    )
    assert entry == {
        "statusCode": 101,
        "number": PHONE,
        "status": "Success",
        "cost": "KES 0.8000",
        "messageId": entry["messageId"],
        "messageParts": 1,
    }


def test_key_order_varies(standin: StandIn) -> None:
    orders = {tuple(recipient(send(standin))) for _ in range(25)}
    assert len(orders) > 1


def test_header_name_is_case_insensitive_and_needed(standin: StandIn) -> None:
    url = standin.url + "/version1/messaging"
    form = {"username": "soko", "to": PHONE, "message": "x"}
    good = requests.post(url, headers={"apikey": "k"}, data=form, timeout=5)
    assert good.status_code == 201
    bad = requests.post(url, data=form, timeout=5)
    assert (bad.status_code, bad.text) == (
        401,
        "The supplied authentication is invalid",
    )
    assert bad.headers["Content-Type"].startswith("text/plain")
    assert len(standin.sms(PHONE)) == 1


def test_a_registered_key_must_match(standin: StandIn) -> None:
    standin.register("soko", api_key="right")
    assert send(standin, key="wrong").status_code == 401
    assert send(standin, key="right").status_code == 201


@pytest.mark.parametrize("field", ["to", "message"])
def test_a_missing_field_is_named(standin: StandIn, field: str) -> None:
    answer = send(standin, **{field: ""})
    assert answer.status_code == 400
    assert answer.text == f"Request is missing required form field '{field}'"


@pytest.mark.parametrize(
    ("number", "code", "status"),
    [
        ("0712345678", 403, "InvalidPhoneNumber"),
        ("+254712", 403, "InvalidPhoneNumber"),
        ("+254202345678", 404, "UnsupportedNumberType"),
        ("+254799900406", 406, "UserInBlacklist"),
        ("+254799900407", 407, "CouldNotRoute"),
        ("+254799900501", 501, "GatewayError"),
    ],
)
def test_refused_recipients(
    standin: StandIn, number: str, code: int, status: str
) -> None:
    answer = send(standin, to=f"{number},{PHONE}")
    body = answer.json()["SMSMessageData"]
    assert body["Message"] == "Sent to 1/2 Total Cost: KES 0.8000"
    refused = body["Recipients"][0]
    assert (refused["statusCode"], refused["status"]) == (code, status)
    assert (refused["cost"], refused["messageId"]) == ("0", "None")
    assert standin.sms(number) == []


def test_unregistered_sender_looks_like_success(standin: StandIn) -> None:
    standin.register("soko", senders=["SOKO"])
    answer = send(standin, **{"from": "OTHER"})
    assert answer.status_code == 201
    assert answer.text == (
        '{"SMSMessageData":{"Message":"InvalidSenderId","Recipients":[]}}'
    )


def test_balance_runs_out(standin: StandIn) -> None:
    standin.register("soko", sms_balance=1.0)
    assert recipient(send(standin))["statusCode"] == 101
    assert recipient(send(standin))["statusCode"] == 405
    headers = {"apiKey": "k"}
    url = standin.url + "/version1/user?username=soko"
    answer = requests.get(url, headers=headers, timeout=5)
    assert answer.text == '{"userData":{"balance":"KES 0.20"}}'


def test_bulk_has_the_same_shape(standin: StandIn) -> None:
    answer = requests.post(
        standin.url + "/version1/messaging/bulk",
        headers={"apiKey": "k"},
        json={
            "username": "soko",
            "message": "Habari",
            "senderId": "SOKO",
            "phoneNumbers": [PHONE, "+254110000001"],
        },
        timeout=5,
    )
    assert answer.status_code == 201
    body = answer.json()["SMSMessageData"]
    assert body["Message"] == "Sent to 2/2 Total Cost: KES 1.6000"
    assert [entry["number"] for entry in body["Recipients"]] == [PHONE, "+254110000001"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("{" * 80, 1),
        ("{" * 81, 2),
        ("a" * 152 + "{" + "a" * 10, 2),
        ("\u2019" * 70, 1),
        ("\u2019" * 71, 2),
        ("", 1),
        ("ng'ombe " * 20, 1),
    ],
)
def test_parts(text: str, parts: int) -> None:
    assert gsm.parts(text) == parts


def test_parts_reach_the_answer_and_the_phone(standin: StandIn) -> None:
    entry = recipient(send(standin, message="x" * 161))
    assert (entry["messageParts"], entry["cost"]) == (2, "KES 1.6000")
    (got,) = standin.sms(PHONE)
    assert set(got) == {"id", "from", "to", "text", "at", "parts"}
    assert (got["from"], got["to"], got["parts"]) == ("SOKO", PHONE, 2)


# -- the real SDK -------------------------------------------------------------------


def test_sdk_sends_and_reads(standin: StandIn, product: Product) -> None:
    sdk = service(standin)
    answer = sdk.send("Habari", [PHONE], sender_id="SOKO", enqueue=True)
    assert answer["SMSMessageData"]["Recipients"][0]["status"] == "Success"
    sent = standin.reply(PHONE, "SOKO", "NDIO 8841")
    assert sent["to"] == "SOKO"
    (message,) = sdk.fetch_messages()["SMSMessageData"]["Messages"]
    assert set(message) == {"linkId", "text", "to", "id", "date", "from"}
    assert (message["text"], message["from"]) == ("NDIO 8841", PHONE)
    last = message["id"]
    assert isinstance(last, int)
    after = sdk.fetch_messages(last_received_id=last)
    assert after == {"SMSMessageData": {"Messages": []}}


def test_sdk_meets_the_faults(standin: StandIn) -> None:
    sdk = service(standin)
    standin.faults({"sms": [{"do": "http", "code": 500, "times": 1}]})
    with pytest.raises(AfricasTalkingException):
        sdk.send("x", [PHONE])
    standin.faults({"sms": {"do": "hang", "phone": PHONE, "seconds": 3}})
    with pytest.raises(requests.ReadTimeout):
        sdk.send("hung", [PHONE], timeout=0.3)
    standin.faults({"sms": {"do": "lost", "times": 1}})
    with pytest.raises(requests.ConnectionError):
        sdk.send("lost", [PHONE])
    standin.faults({"sms": {"do": "drop", "times": 1}})
    with pytest.raises(requests.ConnectionError):
        sdk.send("dropped", [PHONE])
    standin.faults({"sms": {"do": "bad_json", "times": 1}})
    with pytest.raises(requests.exceptions.JSONDecodeError):
        sdk.send("garbled", [PHONE])
    standin.faults({"sms": {"do": "charset", "times": 1}})
    assert isinstance(sdk.send("charset", [PHONE]), str)
    standin.faults({"sms": {"do": "no_parts", "times": 1}})
    answer = sdk.send("partless", [PHONE])
    assert "messageParts" not in answer["SMSMessageData"]["Recipients"][0]
    arrived = [sms["text"] for sms in standin.sms(PHONE)]
    assert arrived == ["hung", "lost", "garbled", "charset", "partless"]


def test_a_phone_that_is_off_receives_nothing(
    standin: StandIn, product: Product
) -> None:
    dead = "+254799900023"
    assert recipient(send(standin, to=dead))["statusCode"] == 101
    until(lambda: len(product.at("/dlr")) == 2)
    assert product.at("/dlr")[-1]["status"] == "AbsentSubscriber"
    assert standin.sms(dead) == []
