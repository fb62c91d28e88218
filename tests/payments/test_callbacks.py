"""The wallet's routes and the reading of its results: every shape, and any bytes."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.enums import PayoutState
from payments.models import Payable, Payout, WalletCallback, WalletCredential
from payments.queries import book_differences
from payments.services.results import process, process_forgotten, take_result
from payments.services.wallet import set_credential
from payments.wallet_result import WalletResult, read_json, read_result
from tests.builders import SYSTEM, build_network
from tests.payments.conftest import approved, run_of
from vrp.accounts.models import User
from vrp.events import outbox
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db


def result(originator: str, code: Any = 0, **more: Any) -> dict[str, Any]:
    return {
        "Result": {
            "ResultType": 0,
            "ResultCode": code,
            "ResultDesc": "words",
            "OriginatorConversationID": originator,
            "ConversationID": "AG_1",
            "TransactionID": "NLJ41HAY6Q",
            **more,
        }
    }


def parameters(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"ResultParameters": {"ResultParameter": list(rows)}}


def read(body: dict[str, Any]) -> WalletResult:
    found = read_result(read_json(json.dumps(body)) or {})
    assert found is not None
    return found


AMOUNT = {"Key": "TransactionAmount", "Value": 10}
RECEIPT = {"Key": "TransactionReceipt", "Value": "NLJ41HAY6Q"}


@pytest.mark.parametrize(
    "more",
    [
        parameters(AMOUNT, RECEIPT),
        parameters(RECEIPT, AMOUNT),
        parameters({"Key": "B2CCharges"}, AMOUNT, RECEIPT),
        parameters({"Key": "TransactionReceipt"}, AMOUNT, RECEIPT),
        parameters(AMOUNT, AMOUNT, RECEIPT, RECEIPT),
        {"ResultParameters": {"ResultParameter": RECEIPT}},
        parameters({**AMOUNT, "Value": "10.00"}, RECEIPT),
        parameters({**AMOUNT, "Value": 10.0}, RECEIPT),
        {},
        {"ResultParameters": None},
        {"ResultParameters": []},
        {"ResultParameters": {"ResultParameter": [None, 7, "x", [], {}]}},
        {"ReferenceData": {"ReferenceItem": {"Key": "QueueTimeoutURL"}}},
        {"ReferenceData": {"ReferenceItem": [{"Key": "Occasion", "Value": "x"}]}},
    ],
)
def test_a_success_in_every_shape(more: dict[str, Any]) -> None:
    for code in (0, "0"):
        found = read(result("id", code, **more))
        assert (found.code, found.receipt) == ("0", "NLJ41HAY6Q")
        assert not found.differs_from(1_000)
        assert not found.is_status


@pytest.mark.parametrize(
    ("code", "text"),
    [(0, "0"), ("0", "0"), (2001, "2001"), ("SFC_IC0003", "SFC_IC0003"), (0.0, "0.0"),
     (True, ""), (None, ""), ({"a": 1}, ""), (10**50, "")],
)  # fmt: skip
def test_codes(code: Any, text: str) -> None:
    assert read(result("id", code)).code == text


def test_an_id_alone_is_no_receipt() -> None:
    assert read(result("id", TransactionID="NLJ0000000")).receipt == ""
    assert read(result("id", TransactionID="")).receipt == ""
    assert read(result("id", TransactionID="a b")).receipt == ""


def test_a_status_answer_has_an_id_of_its_own() -> None:
    status = {"Key": "TransactionStatus", "Value": "Completed"}
    found = read(result("id", **parameters(status)))
    assert (found.is_status, found.receipt) == (True, "")
    number = {"Key": "ReceiptNo", "Value": "ABC1234567"}
    assert read(result("id", **parameters(status, number))).receipt == "ABC1234567"


def test_amounts_are_decimals() -> None:
    told = {"Key": "TransactionAmount", "Value": 0.1}
    assert read(result("id", **parameters(told))).amount == Decimal("0.1")
    assert read(result("id", **parameters(told))).differs_from(11)
    assert not read(result("id", **parameters(told))).differs_from(10)
    huge = {"Key": "TransactionAmount", "Value": "1e999999"}
    assert read(result("id", **parameters(huge))).differs_from(10)


UNREADABLE = [
    "sNaN", "NaN", "Infinity", "0x10", "²", "١٠", "1e1", "-10", "+10", "10.", "1,0",
    "KES 10", "10 10", " ", "9" * 300, True, False, [10], {"a": 10}, 10**50,
    float("nan"),
]  # fmt: skip


@pytest.mark.parametrize("value", UNREADABLE)
def test_an_amount_that_is_told_and_cannot_be_read_differs(value: Any) -> None:
    for key in ("TransactionAmount", "Amount"):
        found = read(result("id", **parameters({"Key": key, "Value": value}, RECEIPT)))
        assert found.amount is None
        assert found.differs_from(1_000)
        assert found.receipt == "NLJ41HAY6Q"


@pytest.mark.parametrize("value", [None, ""])
def test_an_amount_without_a_value_is_not_told(value: Any) -> None:
    told = {"Key": "TransactionAmount", "Value": value}
    assert not read(result("id", **parameters(told))).differs_from(1_000)


def test_amounts_with_thousands() -> None:
    for value in ("16,800", "16,800.00", "16800", 16800, 16800.0):
        told = {"Key": "TransactionAmount", "Value": value}
        assert not read(result("id", **parameters(told))).differs_from(1_680_000)


@pytest.fixture
def sent(
    tenant: Tenant,
    graded: Callable[..., Payable],
    credential: WalletCredential,
    maker: User,
    checker: User,
) -> Payout:
    """A payment of KES 16,800 that a worker is sending right now."""
    graded(30)
    payout = approved(tenant, maker, checker).payouts.get()
    assert outbox.claim(outbox._outboxes["payout"], payout.pk)
    return payout


def post(credential: WalletCredential, body: Any, route: str = "result") -> int:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = f"/pay/{credential.route_secret}/{route}"
    return Client().post(path, data, content_type="application/json").status_code


def state_of(payout: Payout) -> str:
    payout.refresh_from_db()
    assert book_differences() == []
    return payout.state


def test_another_amount_goes_to_a_person(
    sent: Payout, credential: WalletCredential
) -> None:
    body = result(str(sent.originator_id), **parameters(AMOUNT, RECEIPT))
    assert post(credential, body) == 200
    assert state_of(sent) == PayoutState.REVIEW
    assert sent.receipt == ""


@pytest.mark.parametrize("value", ["sNaN", "0x10", "²"])
def test_an_unreadable_amount_goes_to_a_person(
    value: str, sent: Payout, credential: WalletCredential
) -> None:
    told = {"Key": "TransactionAmount", "Value": value}
    body = result(str(sent.originator_id), **parameters(told, RECEIPT))
    assert post(credential, body) == 200
    assert state_of(sent) == PayoutState.REVIEW
    assert sent.receipt == ""
    row = WalletCallback.objects.get()
    assert (row.effect, row.is_conflict) == ("an amount that cannot be read", True)


def test_success_without_a_receipt_is_unknown(
    sent: Payout, credential: WalletCredential
) -> None:
    body = result(str(sent.originator_id), TransactionID="NLJ0000000")
    assert post(credential, body) == 200
    assert state_of(sent) == PayoutState.UNKNOWN


def test_a_receipt_of_another_payment(
    sent: Payout,
    credential: WalletCredential,
    graded: Callable[..., Payable],
    tenant: Tenant,
    maker: User,
    checker: User,
) -> None:
    post(credential, result(str(sent.originator_id)))
    assert state_of(sent) == PayoutState.PAID
    graded(30)
    second = approved(tenant, maker, checker).payouts.get()
    outbox.claim(outbox._outboxes["payout"], second.pk)
    assert post(credential, result(str(second.originator_id))) == 200
    assert state_of(second) == PayoutState.REVIEW
    assert WalletCallback.objects.get(payout=second).is_conflict


def test_a_result_for_a_draft_moves_nothing(
    tenant: Tenant,
    graded: Callable[..., Payable],
    credential: WalletCredential,
    maker: User,
) -> None:
    graded(30)
    payout = run_of(tenant, maker).payouts.get()
    assert post(credential, result(str(payout.originator_id))) == 200
    assert state_of(payout) == PayoutState.DRAFT
    assert WalletCallback.objects.get().is_conflict


def test_a_wrong_address_is_404_and_stores_nothing(
    sent: Payout, credential: WalletCredential
) -> None:
    good = credential.route_secret
    for secret in (
        "x",
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good + "0",
        "0" + good,
        good.replace("-", "--"),
        f"9999999-{good.partition('-')[2]}",
        "9" * 30 + "-" + "a" * 40,
    ):
        for route in ("result", "timeout"):
            answer = Client().post(
                f"/pay/{secret}/{route}", b"{}", content_type="application/json"
            )
            assert answer.status_code == 404, secret
    assert Client().get(f"/pay/{good}/result").status_code == 405
    assert WalletCallback.objects.count() == 0


def test_another_tenants_address_changes_nothing_here(
    sent: Payout, credential: WalletCredential, other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant):
        build_network(other_tenant)
        theirs = set_credential(
            tenant=other_tenant,
            shortcode="600222",
            consumer_key="k",
            consumer_secret="s",
            initiator_name="n",
            initiator_password="p",
            actor=SYSTEM,
        )
    assert post(theirs, result(str(sent.originator_id))) == 200
    assert post(
        theirs, {"OriginatorConversationID": str(sent.originator_id)}, "timeout"
    )
    assert state_of(sent) == PayoutState.SENDING
    assert WalletCallback.objects.count() == 0
    with tenant_scope(other_tenant):
        effects = set(WalletCallback.objects.values_list("effect", flat=True))
        assert effects == {"no such payment"}


def test_bodies_that_cannot_be_read_are_kept_and_refused(
    sent: Payout, credential: WalletCredential
) -> None:
    for body in (b"", b"\xff\xfe\x00", b"[1]", b'"x"', b"nul", b"{" * 5_000,
                 b'{"Result": ' + b"[" * 9_000, b"1" * 5_000):  # fmt: skip
        assert post(credential, body) == 400, body[:20]
    assert post(credential, b" " * 20_000) == 413
    assert set(WalletCallback.objects.values_list("effect", flat=True)) == {
        "unreadable"
    }
    assert state_of(sent) == PayoutState.SENDING


def test_bodies_that_are_no_result_are_kept(
    sent: Payout, credential: WalletCredential
) -> None:
    nul = result("\x00" * 36, "\x00", TransactionID="\ud800", ConversationID="\x00")
    for body in ({}, {"Result": 1}, {"Result": {}}, nul, {"Result": {"ResultCode": 0}},
                 result(str(sent.originator_id), float("nan"))):  # fmt: skip
        assert post(credential, body) == 200
        assert post(credential, body, "timeout") == 200
    # A code that is no code decides nothing.
    assert state_of(sent) == PayoutState.UNKNOWN


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["Key", "Value", "ResultParameter", "ReferenceItem", "ResultCode", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    mutation=st.dictionaries(
        st.sampled_from(
            ["ResultCode", "ResultDesc", "ConversationID", "TransactionID",
             "ResultParameters", "ReferenceData", "OriginatorConversationID"]
        ),
        JSON,
        max_size=4,
    ),
    known=st.booleans(),
    route=st.sampled_from(["result", "timeout"]),
)  # fmt: skip
def test_no_mutation_breaks_the_route(
    mutation: dict[str, Any],
    known: bool,
    route: str,
    sent: Payout,
    credential: WalletCredential,
) -> None:
    body = result(str(sent.originator_id) if known else "x", **mutation)
    with transaction.atomic():
        assert post(credential, body, route) in (200, 400)
        assert book_differences() == []
        transaction.set_rollback(True)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.binary(max_size=200))
def test_no_bytes_break_the_route(body: bytes, credential: WalletCredential) -> None:
    assert post(credential, body) in (200, 400)


def test_what_was_stored_and_forgotten_is_understood_later(
    sent: Payout, credential: WalletCredential, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(pk: int) -> None:
        raise RuntimeError("worker killed")

    body = json.dumps(result(str(sent.originator_id))).encode()
    monkeypatch.setattr("payments.services.results.process", dies)
    with pytest.raises(RuntimeError):
        take_result(tenant=sent.tenant, body=body)
    monkeypatch.setattr("payments.services.results.process", process)
    row = WalletCallback.objects.get()
    assert (row.effect, state_of(sent)) == ("", PayoutState.SENDING)
    assert process_forgotten() == 0, "just stored: its own request may be at it"
    WalletCallback.objects.update(at="2026-01-01T00:00Z")
    assert process_forgotten() == 1
    assert state_of(sent) == PayoutState.PAID
