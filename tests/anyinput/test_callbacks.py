"""Whatever is posted to the carrier's and the wallet's routes: the route's own answer,
never a crash, and nothing changed by what is refused."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from artisans.models import Workshop
from payments.models import Payout, WalletCredential
from payments.queries import book_differences
from payments.services.wallet import set_credential
from payments.wallet_result import read_json, read_result
from phone.models import Channel
from tests.anyinput.odd import ODD, examples, no_crash, prints, undone
from tests.builders import SYSTEM, Network, build_job, build_order
from tests.payments.conftest import approved, grade
from tests.phone.conftest import FORM, build_channel
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db
PHONE = "+254700000017"
# As the carrier sends them.
REAL = {
    "ussd": {
        "sessionId": "ATUid_0a1b2c", "phoneNumber": PHONE, "networkCode": "63902",
        "serviceCode": "*384*123#", "text": "1*1",
    },
    "sms/inbound": {
        "date": "2027-03-01 09:00:00", "from": PHONE, "id": "9b1deb4d-3b7d-4bad",
        "linkId": "", "text": "YES 1", "to": "SOKO", "networkCode": "63902",
        "cost": "KES 1.0000",
    },
    "sms/delivery": {
        "id": "ATXid_1", "status": "Success", "phoneNumber": PHONE,
        "networkCode": "63902", "failureReason": "DeliveryFailure", "retryCount": "0",
    },
}  # fmt: skip
PHONE_ROUTES = sorted(REAL)
# What a stored callback may change; jobs, money and the rest never.
MAY_CHANGE = {
    "ussd": {"phone_ussdsession"},
    "sms/inbound": {"phone_message", "events_event"},
    "sms/delivery": {"phone_deliveryreport"},
}


@pytest.fixture
def house(network: Network, person: Callable[..., User]) -> dict[str, Any]:
    """Jobs offered and accepted, money owed and on its way, a route for each caller."""
    Workshop.objects.filter(pk=network.horn[0].pk).update(phone=PHONE)
    channel = build_channel(network.tenant)
    build_job(network, 60, accepted=False)
    build_job(network, 40)
    grade(network, 30, workshop=network.horn[1])
    wallet = wallet_of(network.tenant)
    approved(
        network.tenant,
        person(Role.FINANCE_MAKER, name="maker"),
        person(Role.FINANCE_CHECKER, name="checker"),
    )
    build_order(network, 30)
    return {"phone": channel.route_secret, "pay": wallet.route_secret}


def wallet_of(tenant: Tenant) -> WalletCredential:
    return set_credential(
        tenant=tenant,
        shortcode="600111",
        consumer_key="key",
        consumer_secret="secret",
        initiator_name="payer",
        initiator_password="password",
        actor=SYSTEM,
    )


def send(
    path: str, body: bytes, kind: str = FORM, method: str = "POST", **headers: str
):  # type: ignore[no-untyped-def]
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    return no_crash(
        client.generic(method, path, body, content_type=kind, headers=headers)
    )


words = st.one_of(st.sampled_from(ODD), st.text(max_size=60))
raw = st.one_of(
    words.map(lambda text: quote_plus(text.encode("utf-8", "replace"))),
    words.map(lambda text: quote_plus(text.encode("utf-16", "surrogatepass"))),
    words.map(lambda text: text.encode("latin-1", "replace").decode("latin-1")),
    st.sampled_from(["%", "%zz", "%00", "%ff%fe", "%c0%80", "%ed%a0%80", "+", "A" * 9_000]),
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, real: dict[str, str]) -> bytes:
    """A real form with some fields changed, lost, doubled or added, or no form at all."""
    pairs = [(name, quote_plus(value)) for name, value in real.items()]
    for _ in range(draw(st.integers(1, 3))):
        index = draw(st.integers(0, max(len(pairs) - 1, 0)))
        change = draw(st.sampled_from(["set", "drop", "double", "add", "rename"]))
        if change == "add" or not pairs:
            pairs.append((draw(raw), draw(raw)))
        elif change == "set":
            pairs[index] = (pairs[index][0], draw(raw))
        elif change == "drop":
            pairs.pop(index)
        elif change == "double":
            pairs.append((pairs[index][0], draw(raw)))
        else:
            pairs[index] = (draw(raw), pairs[index][1])
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    return joined.encode("utf-8", "replace")


KINDS = [
    FORM, f"{FORM}; charset=utf-16", f"{FORM}; charset=nonsense", "application/json",
    "multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "", "x",
    "application/x-www-form-urlencoded;;;=", "\u00e9/\u00e9", "text/html; charset=\"",
]  # fmt: skip
TELLING = st.dictionaries(
    st.sampled_from(
        ["Accept-Language", "X-Request-Id", "X-Forwarded-For", "Cookie", "Accept",
         "Transfer-Encoding", "Content-Encoding", "Referer", "Origin",
         "Authorization", "Idempotency-Key", "X-Forwarded-Proto", "Range", "Expect"]
    ),
    st.one_of(
        st.sampled_from(["", "-1", "x", "999999999999", "chunked", "gzip", "*/*;q=x",
                         "::1, evil", "a=b; vrp_session=" + "A" * 300, "null",
                         "bytes=0-"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80),
    ),
    max_size=3,
)  # fmt: skip
# A length that promises more than comes is tried on a real server (test_broken_off.py):
# the test client refuses to play that.
LENGTHS = st.sampled_from(
    [{}, {}, *({"Content-Length": one} for one in ("", "-1", "x", "0"))]
)
HEADERS = st.builds(lambda one, other: {**one, **other}, TELLING, LENGTHS)
BODIES = {
    route: st.one_of(
        mutated(real),
        st.binary(max_size=300),
        st.sampled_from([b"", b"&&&", b"=" * 500, b"a&" * 400, json.dumps(real).encode(),
                         urlencode(real).encode("utf-16"), b"x=" + b"%" * 15_000,
                         b"\xff\xfe" + urlencode(real).encode("utf-16-le"),
                         b"text=" + b"a" * 20_000]),
    )
    for route, real in REAL.items()
}  # fmt: skip


@pytest.mark.parametrize("route", PHONE_ROUTES)
def test_anything_on_the_carriers_routes(route: str, house: dict[str, Any]) -> None:
    but = MAY_CHANGE[route]
    before, every = prints(but=but), prints()
    path = f"/phone/{house['phone']}/{route}"

    @examples(120)
    @given(body=BODIES[route], kind=st.sampled_from(KINDS), headers=HEADERS)
    def check(body: bytes, kind: str, headers: dict[str, str]) -> None:
        with undone():
            answer = send(path, body, kind, **headers)
            said = answer.content.decode()
            assert answer["Content-Type"] == "text/plain; charset=utf-8"
            if route == "ussd":
                assert answer.status_code == 200
                assert said[:4] in ("CON ", "END ")
                assert len(said) <= 186
            elif route == "sms/inbound":
                assert answer.status_code in (200, 400, 413)
                assert (said == "OK") == (answer.status_code == 200)
            else:
                assert (answer.status_code, said) == (200, "OK")
            after = prints(but=but)
            assert after == before
            if answer.status_code != 200:
                assert prints() == every

    check()


RESULT = {
    "Result": {
        "ResultType": 0, "ResultCode": 0, "ResultDesc": "The service request is done.",
        "OriginatorConversationID": "ID", "ConversationID": "AG_20270301_00004",
        "TransactionID": "NLJ41HAY6Q",
        "ResultParameters": {"ResultParameter": [
            {"Key": "TransactionAmount", "Value": 16800},
            {"Key": "TransactionReceipt", "Value": "NLJ41HAY6Q"},
            {"Key": "B2CRecipientIsRegisteredCustomer", "Value": "Y"},
            {"Key": "ReceiverPartyPublicName", "Value": "254700000017 - W 17"},
        ]},
        "ReferenceData": {"ReferenceItem": {"Key": "QueueTimeoutURL", "Value": "x"}},
    }
}  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), words,
    st.sampled_from([10**400, -0.0, 1e308, "\x00", "\ud800", 2**63, "0", "00", "0.0"]),
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=4)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside."""
    inner = list(value.items()) if isinstance(value, dict) else (
        list(enumerate(value)) if isinstance(value, list) else []
    )  # fmt: skip
    return [
        *([path] if path else []),
        *(place for key, part in inner for place in places(part, (*path, key))),
    ]


def put(value: Any, path: tuple[Any, ...], new: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


@st.composite
def results(draw: st.DrawFn) -> bytes:
    """A real result with a part changed or doubled, in odd spellings of JSON."""
    body = json.loads(json.dumps(RESULT))
    put(body, draw(st.sampled_from(places(body))), draw(JSON))
    text = json.dumps(body)
    change = draw(
        st.sampled_from(["", "", "", "cut", "twice", "deep", "comment", "utf16", "bom"])
    )
    if change == "cut":
        text = text[: draw(st.integers(0, len(text)))]
    elif change == "twice":
        text = text.replace('"ResultCode"', '"ResultCode": 1, "ResultCode"', 1)
    elif change == "deep":
        text = "[" * 5_000 + text
    elif change == "comment":
        text = f"/* x */ {text} // y"
    if change == "utf16":
        return text.encode("utf-16", "surrogatepass")
    return (b"\xef\xbb\xbf" if change == "bom" else b"") + text.encode()


def proves_payment(body: bytes, amount_minor: int) -> bool:
    """Whether a body is a success with a receipt over this amount."""
    found = read_json(body.decode("utf-8", "replace").replace("\x00", "\ufffd"))
    told = read_result(found) if found else None
    return bool(
        told
        and told.code == "0"
        and told.receipt
        and not told.differs_from(amount_minor)
    )


# What the result of a known payment may change; nothing else, and above all no job.
MONEY = {
    "payments_walletcallback", "payments_payout", "payments_payoutrun", "payments_entry",
    "payments_posting", "payments_payable", "payments_statusquery",
    "payments_walletcredential", "payments_account", "events_event", "phone_message",
}  # fmt: skip


@pytest.mark.parametrize("known", [False, True])
def test_anything_on_the_wallets_routes(known: bool, house: dict[str, Any]) -> None:
    """Of an unknown payment only the callback itself is kept. A known one is paid by
    nothing but a result that says so, with a receipt and over its amount."""
    payout = Payout.objects.get()
    name = str(payout.originator_id) if known else "unknown"
    kept = MONEY if known else {"payments_walletcallback"}
    before = prints(but=kept)
    paid = []

    @examples(120)
    @given(
        route=st.sampled_from(["result", "result", "timeout"]),
        body=st.one_of(results(), st.binary(max_size=300), st.just(b"x" * 20_000)),
        kind=st.sampled_from(["application/json", *KINDS]),
        headers=HEADERS,
    )
    def check(route: str, body: bytes, kind: str, headers: dict[str, str]) -> None:
        body = body.replace(b'"ID"', f'"{name}"'.encode())
        with undone():
            answer = send(f"/pay/{house['pay']}/{route}", body, kind, **headers)
            assert answer.status_code in (200, 400, 413)
            assert answer["Content-Type"] == "application/json"
            code = answer.json()["ResultCode"]
            assert (code == 0) == (answer.status_code == 200)
            assert book_differences() == []
            assert prints(but=kept) == before
            payout.refresh_from_db()
            if payout.state == "paid":
                paid.append(body)
                assert known
                assert route == "result"
                assert proves_payment(body, payout.amount_minor)

    check()
    # The form is real: most mutations leave what matters, so some are paid.
    assert bool(paid) == known


METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "POSTT"]
ROUTES = [
    *(("phone", route) for route in PHONE_ROUTES),
    ("pay", "result"),
    ("pay", "timeout"),
]


@pytest.mark.parametrize(("edge", "route"), ROUTES)
def test_wrong_methods(edge: str, route: str, house: dict[str, Any]) -> None:
    before = prints()
    for method in METHODS:
        for secret in (house[edge], "1-" + "0" * 40):
            answer = send(f"/{edge}/{secret}/{route}", b"", method=method)
            assert answer.status_code == 405, method
            assert answer["Allow"] == "POST"
    assert prints() == before


@pytest.mark.parametrize(("edge", "route"), ROUTES)
def test_wrong_secrets(edge: str, route: str, house: dict[str, Any]) -> None:
    """Nearly right ones too, with a body that would do something on the right one."""
    right, before = house[edge], prints()
    form = REAL.get(route)
    body = urlencode(form).encode() if form else json.dumps(RESULT).encode()
    other = house["phone" if edge == "pay" else "pay"]
    tenant, _, digits = right.partition("-")
    full = "".join(
        chr(ord(sign) + 0xFEE0) if sign.isdigit() else sign for sign in right
    )
    for wrong in (
        other, right[:-1], right + "0", right.upper(), f"0{right}", f"-{right}",
        f"{tenant}_{digits}", f"{tenant}-{digits[::-1]}", f"{int(tenant) + 1}-{digits}",
        f"{10**17}-{digits}", f"{10**400}-{digits}", full, f"{right}%00", f"{right}%0a",
        f" {right}", f"{right}%20", f"{right};x", "%ff%fe", "-", "0-", "%e2%80%8b" + right,
    ):  # fmt: skip
        if wrong == right:
            continue
        answer = send(f"/{edge}/{wrong}/{route}", body)
        assert answer.status_code == 404, wrong
    assert prints() == before


def test_a_print_sees_every_change(house: dict[str, Any]) -> None:
    """The prints above would see a change: one of each kind is seen."""
    before = prints()
    Channel.objects.update(sender="12345")
    (changed,) = {name for name, digest in prints().items() if digest != before[name]}
    assert changed == "phone_channel"
