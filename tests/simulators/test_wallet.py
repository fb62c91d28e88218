"""Daraja: tokens, checks, payments and queries."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from simulators.wallet_results import receipt
from tests.simulators.daraja import BALANCE, PHONE, STATUS, Daraja, parameters
from tests.simulators.daraja import credential as encrypt
from tests.simulators.product import Product
from tests.standin import StandIn, until

RESULT, TIMEOUT = "/pay/s/result", "/pay/s/timeout"


@pytest.fixture
def daraja(standin: StandIn, product: Product) -> Daraja:
    return Daraja(standin, product.url)


def results(product: Product, count: int = 1) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = until(
        lambda: len(product.at(RESULT)) >= count and product.at(RESULT)
    )
    return found


def code(answer: requests.Response) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"requestId", "errorCode", "errorMessage"}
    return answer.status_code, body["errorCode"]


def test_accepted_then_paid(standin: StandIn, product: Product, daraja: Daraja) -> None:
    request = daraja.payment()
    answer = daraja.post("/mpesa/b2c/v3/paymentrequest", request)
    ours, theirs = request["OriginatorConversationID"], answer.json()["ConversationID"]
    assert answer.status_code == 200
    assert answer.text == (
        f'{{"ConversationID":"{theirs}","OriginatorConversationID":"{ours}",'
        '"ResponseCode":"0",'
        '"ResponseDescription":"Accept the service request successfully."}'
    )
    assert re.fullmatch(r"AG_\d{8}_[0-9a-f]{20}", theirs)
    (result,) = results(product)
    inner = result["Result"]
    assert list(result) == ["Result"]
    assert inner["ResultType"] == 0
    assert str(inner["ResultCode"]) == "0"
    assert inner["OriginatorConversationID"] == ours
    assert inner["ConversationID"] == theirs
    assert re.fullmatch(r"[A-Z]{2}[1-9A-V][0-9A-Z]{7}", inner["TransactionID"])
    assert parameters(result)["TransactionReceipt"] == inner["TransactionID"]
    (money,) = standin.wallet(PHONE)
    assert (money["id"], money["amount"]) == (ours, 515)
    assert money["receipt"] == inner["TransactionID"]
    assert set(money) == {"id", "amount", "receipt", "at"}


def test_receipts_carry_the_date_and_never_repeat() -> None:
    moment = datetime(2019, 12, 19, 8, 45, tzinfo=UTC)
    made = [receipt(count, moment) for count in range(5000)]
    assert len(set(made)) == 5000
    assert all(one.startswith("NLJ") and len(one) == 10 for one in made)


def test_every_hazard_is_seen(product: Product, daraja: Daraja) -> None:
    for _ in range(60):
        daraja.pay(Amount=10)
    seen = set()
    for result in results(product, 60):
        inner = result["Result"]
        listed = inner["ResultParameters"]["ResultParameter"]
        seen.add("code " + type(inner["ResultCode"]).__name__)
        seen.add("item " + type(inner["ReferenceData"]["ReferenceItem"]).__name__)
        seen.add("listed " + type(listed).__name__)
        entries = listed if isinstance(listed, list) else [listed]
        keys = [entry["Key"] for entry in entries]
        if len(set(keys)) < len(keys):
            seen.add("twice")
        if any("Value" not in entry for entry in entries):
            seen.add("no value")
        seen.add("first " + keys[0])
    assert {"code int", "code str", "item dict", "item list", "listed dict"} <= seen
    assert {"listed list", "twice", "no value"} <= seen
    assert sum(one.startswith("first ") for one in seen) > 3


def test_one_id_is_paid_once(
    standin: StandIn, product: Product, daraja: Daraja
) -> None:
    daraja.mint()
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(lambda _: daraja.pay(OriginatorConversationID="once"), range(20))
        )
    accepted = [a for a in answers if a.status_code == 200]
    refused = [a for a in answers if a.status_code == 500]
    assert (len(accepted), len(refused)) == (1, 19)
    for answer in refused:
        assert code(answer) == (500, "500.002.1001")
        assert "Duplicate" in answer.json()["errorMessage"]
    # Another amount under the same id is no other payment either.
    assert daraja.pay(OriginatorConversationID="once", Amount=99).status_code == 500
    results(product)
    assert [money["amount"] for money in standin.wallet(PHONE)] == [515]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"Amount": 9}, "400.002.02"),
        ({"Amount": 250_001}, "400.002.02"),
        ({"Amount": 10.5}, "400.002.02"),
        ({"Amount": "12.00"}, "400.002.02"),
        ({"Amount": True}, "400.002.02"),
        ({"Amount": -50}, "400.002.02"),
        ({"PartyB": "0712345678"}, "400.002.02"),
        ({"PartyB": "+254712345678"}, "400.002.02"),
        ({"PartyB": "254202345678"}, "400.002.02"),
        ({"CommandID": "Pay"}, "400.002.02"),
        ({"Remarks": "x"}, "400.002.02"),
        ({"Remarks": "x" * 101}, "400.002.02"),
        ({"Occassion": "x" * 101}, "400.002.02"),
        ({"InitiatorName": None}, "400.002.02"),
        ({"OriginatorConversationID": ""}, "400.002.02"),
        ({"SecurityCredential": "not base64"}, "400.002.02"),
        ({"SecurityCredential": "c2hvcnQ="}, "400.002.02"),
        ({"ResultURL": "nowhere"}, "400.002.02"),
        ({"ResultURL": "http://127.0.0.1:1/MPesa/result"}, "400.003.02"),
        ({"QueueTimeOutURL": "http://127.0.0.1:1/x?cmd=1"}, "400.003.02"),
    ],
)
def test_bad_requests_move_nothing(
    standin: StandIn, daraja: Daraja, change: dict[str, Any], error: str
) -> None:
    assert code(daraja.pay(**change)) == (400, error)
    assert standin.state()["payments"] == 0


def test_numbers_may_be_texts(standin: StandIn, daraja: Daraja) -> None:
    assert daraja.pay(Amount="10", PartyA=600100, PartyB=254112345678).ok
    assert standin.wallet("254112345678")[0]["amount"] == 10


def test_tokens(standin: StandIn, daraja: Daraja) -> None:
    url = standin.url + "/oauth/v1/generate"
    assert code(requests.get(url, auth=("a", "b"), timeout=5)) == (400, "400.008.02")
    url += "?grant_type=client_credentials"
    assert code(requests.get(url, timeout=5)) == (400, "400.008.01")
    body = daraja.mint()
    assert set(body) == {"access_token", "expires_in"}
    assert int(body["expires_in"]) == 3599
    old = daraja.token
    daraja.mint()
    daraja.token = old
    assert code(daraja.pay()) == (404, "404.001.03")  # a new token ended the old one
    no_token = requests.post(standin.url + STATUS, json={}, timeout=5)
    assert code(no_token) == (401, "401.002.01")
    daraja.token = ""
    standin.faults({"wallet": {"do": "token_short", "seconds": 2}})
    daraja.mint()
    assert daraja.pay().ok
    until(lambda: daraja.pay().status_code == 404)
    assert code(daraja.pay()) == (404, "404.001.03")
    standin.faults({})
    daraja.mint()
    standin.faults({"expire_tokens": True})
    assert code(daraja.pay()) == (404, "404.001.03")


def test_wrong_passwords_fail_and_then_lock(
    standin: StandIn, product: Product, daraja: Daraja
) -> None:
    daraja.credential = encrypt(standin, "wrong")
    for _ in range(5):
        assert daraja.pay().ok
    daraja.credential = encrypt(standin)
    assert daraja.pay().ok
    codes = [str(r["Result"]["ResultCode"]) for r in results(product, 6)]
    assert sorted(codes) == ["2001"] * 5 + ["8006"]
    assert standin.wallet(PHONE) == []


def test_a_failure_has_an_id_but_no_parameters(
    standin: StandIn, product: Product, daraja: Daraja
) -> None:
    assert daraja.pay(PartyB="254799910103").ok
    inner = results(product)[0]["Result"]
    assert inner["ResultCode"] == "SFC_IC0003"
    assert inner["TransactionID"]
    assert "ResultParameters" not in inner
    assert standin.wallet("254799910103") == []


def test_the_float_runs_out(standin: StandIn, product: Product, daraja: Daraja) -> None:
    assert daraja.pay(Amount=99_995).ok
    assert daraja.pay(Amount=10).ok
    codes = {str(r["Result"]["ResultCode"]) for r in results(product, 2)}
    assert codes == {"0", "1"}
    daraja.query(BALANCE)
    told = parameters(results(product, 3)[-1])["AccountBalance"]
    assert "Utility Account|KES|5.00|5.00|0.00|0.00" in told
    assert told.startswith("Working Account|KES|")
    assert standin.state()["balances"]["600100"]["utility"] == 5.0


def test_status_of_a_payment(
    standin: StandIn, product: Product, daraja: Daraja
) -> None:
    daraja.pay(OriginatorConversationID="p-1")
    paid = results(product)[0]["Result"]["TransactionID"]
    answer = daraja.query(STATUS, OriginalConversationID="p-1")
    assert answer.json()["ResponseCode"] == "0"
    told = results(product, 2)[-1]
    ids = told["Result"]["OriginatorConversationID"], told["Result"]["ConversationID"]
    assert ids == (
        answer.json()["OriginatorConversationID"],
        answer.json()["ConversationID"],
    )
    values = parameters(told)
    assert values["TransactionStatus"] == "Completed"
    assert (values["ReceiptNo"], values["Amount"]) == (paid, 515)
    assert values["OriginatorConversationID"] == "p-1"
    daraja.query(STATUS, TransactionID=paid)
    assert parameters(results(product, 3)[-1])["ReceiptNo"] == paid


def test_status_of_the_unknown_the_declined_and_the_unsettled(
    standin: StandIn, product: Product, daraja: Daraja
) -> None:
    daraja.query(STATUS, OriginalConversationID="never")
    assert str(results(product)[-1]["Result"]["ResultCode"]) == "2032"
    daraja.pay(OriginatorConversationID="bad", PartyB="254799910008")
    results(product, 2)
    daraja.query(STATUS, OriginalConversationID="bad")
    assert parameters(results(product, 3)[-1])["TransactionStatus"] == "Declined"
    standin.faults({"wallet": {"do": "settle_late", "seconds": 3}})
    daraja.pay(OriginatorConversationID="slow")
    daraja.query(STATUS, OriginalConversationID="slow")
    waiting = parameters(results(product, 4)[-1])
    assert waiting["TransactionStatus"] == "Initiated"
    assert "ReceiptNo" not in waiting
    assert standin.wallet(PHONE) == []


def test_another_shortcode_sees_nothing(product: Product, daraja: Daraja) -> None:
    daraja.pay(OriginatorConversationID="mine")
    results(product)
    daraja.query(STATUS, OriginalConversationID="mine", PartyA="600200")
    assert str(results(product, 2)[-1]["Result"]["ResultCode"]) == "2032"


@pytest.mark.parametrize(
    "change",
    [
        {"CommandID": "AccountBalance"},
        {"IdentifierType": "1"},
        {"Initiator": None},
        {"OriginalConversationID": None},
        {"Remarks": ""},
    ],
)
def test_bad_queries(daraja: Daraja, change: dict[str, Any]) -> None:
    asked = {"OriginalConversationID": "p"} | change
    assert code(daraja.query(STATUS, **asked)) == (400, "400.002.02")
