"""The Daraja stand-in: tokens, B2C payments, status and balance queries.

A payment is written to the journal, with its outcome, before anything is answered;
the same OriginatorConversationID is never paid twice, whatever happens in between.
"""

import asyncio
import base64
import binascii
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from aiohttp import web

from simulators.credential import DEFAULT_PASSWORD, NotACredential, Vault
from simulators.faults import Rule, pick
from simulators.hub import HUB, Hub, cut, never, plain_json
from simulators.state import Payment, now, stamp
from simulators.wallet_results import (
    balance_result,
    balances,
    planned_steps,
    receipt,
    refusal,
    status_result,
    tell_payment,
)
from simulators.wallet_rules import Refused, bad, check_b2c, check_query

routes = web.RouteTableDef()

VAULT = web.AppKey("vault", Vault)
DUPLICATE = "Duplicate OriginatorConversationID."


class Tokens:
    """Bearer tokens, in memory. A new token of a consumer ends its old one."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget every token: all of them are invalid from now on."""
        self._ends: dict[str, float] = {}
        self._current: dict[str, str] = {}
        self.minted = 0

    def mint(self, consumer: str, life: float) -> str:
        token = secrets.token_urlsafe(21)
        self._ends.pop(self._current.get(consumer, ""), None)
        self._current[consumer] = token
        self._ends[token] = time.monotonic() + life
        self.minted += 1
        return token

    def valid(self, token: str) -> bool:
        return self._ends.get(token, 0) > time.monotonic()


TOKENS = web.AppKey("tokens", Tokens)


def _request_id() -> str:
    return f"{secrets.randbelow(90000) + 10000}-{secrets.randbelow(90000000)}-1"


def _conversation() -> str:
    return f"AG_{now():%Y%m%d}_{secrets.token_hex(10)}"


def _today() -> str:
    return receipt(0, now())[:3]


def _guard(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Turn a Refused into Daraja's error body."""

    async def guarded(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except Refused as refused:
            return refused.answer(_request_id())

    return guarded


@routes.get("/_daraja/cert.pem")
async def certificate(request: web.Request) -> web.Response:
    """Serve the certificate that security credentials are encrypted for."""
    pem = request.app[VAULT].certificate
    return web.Response(body=pem, content_type="application/x-pem-file")


@routes.get("/oauth/v1/generate")
@_guard
async def token(request: web.Request) -> web.Response:
    """Give a bearer token for HTTP Basic consumer key and secret."""
    hub = request.app[HUB]
    rules = hub.faults.take("wallet", "token", [])
    if (rule := pick(rules, "token_http")) is not None:
        raise Refused(int(rule.code), "500.003.1001", "Internal Server Error")
    if request.query.get("grant_type") != "client_credentials":
        raise Refused(400, "400.008.02", "Invalid grant type passed")
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        pair = ""
    key, _, secret = pair.partition(":")
    wallet = hub.directory.consumer(key)
    wrong = wallet.get("consumer_secret") not in (None, secret)
    if scheme.lower() != "basic" or not key or not secret or wrong:
        raise Refused(400, "400.008.01", "Invalid Authentication passed")
    life: float = hub.settings.token_life
    if (rule := pick(rules, "token_short")) is not None:
        life = rule.wait(1)
    minted = request.app[TOKENS].mint(key, life)
    whole = int(life)
    # Both forms have been seen in the wild.
    expires: int | str = str(whole) if sum(minted.encode()) % 2 else whole
    return plain_json({"access_token": minted, "expires_in": expires})


def _check_token(request: web.Request) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(401, "401.002.01", "Error Occurred - Invalid Access Token")
    if not request.app[TOKENS].valid(token):
        raise Refused(404, "404.001.03", "Invalid Access Token")


async def _read(request: web.Request) -> dict[str, Any]:
    _check_token(request)
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "400.002.05", "Invalid Request Payload")
    return body


def _refuse_by_fault(rules: list[Rule]) -> None:
    """Play the faults in which nothing is accepted and an error is answered."""
    if pick(rules, "token_expired"):
        raise Refused(404, "404.001.03", "Invalid Access Token")
    if (rule := pick(rules, "http")) is not None:
        code, words = {
            "429": ("500.003.02", "System is busy. Please try again in few minutes."),
            "401": ("401.002.01", "Error Occurred - Invalid Access Token"),
        }.get(rule.code, ("500.003.1001", "Internal Server Error"))
        raise Refused(int(rule.code), code, words)
    if pick(rules, "error_200"):
        raise Refused(200, "500.003.03", "Error Occurred: Quota Violation")
    if pick(rules, "busy"):
        raise Refused(500, "500.002.1001", "System internal error.")


def _credential_code(
    request: web.Request, body: dict[str, Any], initiator: str
) -> str | None:
    """Return the ResultCode of a wrong credential, None for a right one."""
    hub, shortcode = request.app[HUB], str(body["PartyA"])
    wallet = hub.directory.wallet(shortcode)
    password = str(wallet.get("initiator_password", DEFAULT_PASSWORD))
    try:
        right = request.app[VAULT].holds(body["SecurityCredential"], password)
    except NotACredential as error:
        raise bad("SecurityCredential") from error
    if hub.state.locked(shortcode):
        return "8006"
    known = wallet.get("initiator")
    return None if right and known in (None, initiator) else "2001"


def _accepted(conversation: str, originator: str) -> dict[str, str]:
    return {
        "ConversationID": conversation,
        "OriginatorConversationID": originator,
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    }


def _decide(hub: Hub, rules: list[Rule], shortcode: str, amount: int) -> str:
    if (rule := pick(rules, "result")) is not None:
        return rule.code
    return "0" if balances(hub, shortcode)["utility"] >= amount else "1"


def _accept(
    request: web.Request, body: dict[str, Any], phone: str, amount: int
) -> tuple[Payment, list[Rule]]:
    """Decide a payment's outcome and write it down: the only place money moves."""
    hub, shortcode = request.app[HUB], str(body["PartyA"])
    wrong = _credential_code(request, body, body["InitiatorName"])
    rules = hub.faults.take("wallet", "result", [phone])
    slow = pick(rules, "settle_late")
    settle = slow.wait(5) if slow else 0.0
    payment = Payment(
        originator=body["OriginatorConversationID"],
        conversation=_conversation(),
        shortcode=shortcode,
        initiator=body["InitiatorName"],
        phone=phone,
        amount=amount,
        command=body["CommandID"],
        occasion=str(body.get("Occassion") or body.get("Occasion") or ""),
        code=wrong or _decide(hub, rules, shortcode, amount),
        receipt=receipt(hub.state.payment_count + 1, now()),
        at=stamp(),
        settles_at=(now() + timedelta(seconds=settle)).isoformat(),
        result_url=body["ResultURL"],
        timeout_url=body["QueueTimeOutURL"],
        echo={k: v for k, v in body.items() if k != "SecurityCredential"},
        steps=planned_steps(hub, rules, settle),
    )
    hub.state.record_payment(payment)
    return payment, rules


@routes.post("/mpesa/b2c/v3/paymentrequest")
@_guard
async def b2c(request: web.Request) -> web.Response:
    """Pay a phone: accepted at once, the result comes to ResultURL later."""
    hub = request.app[HUB]
    body = await _read(request)
    phones = [str(body.get("PartyB", ""))]
    rules = hub.faults.take("wallet", "request", phones)
    if pick(rules, "drop"):
        return cut(request)
    _refuse_by_fault(rules)
    phone, amount = check_b2c(body)
    key = (str(body["PartyA"]), body["OriginatorConversationID"])
    if key in hub.state.payments:
        raise Refused(500, "500.002.1001", DUPLICATE)
    payment, result_rules = _accept(request, body, phone, amount)
    telling = hub.spawn(tell_payment(hub, payment))
    if pick(result_rules, "result_early"):
        await telling
    if pick(rules, "lost"):
        return cut(request)
    if (rule := pick(rules, "hang")) is not None:
        return await never(request, rule.wait(60))
    if pick(rules, "busy_paid"):
        raise Refused(500, "500.002.1001", "The transaction is being processed.")
    return plain_json(_accepted(payment.conversation, payment.originator))


async def _answer_query(
    hub: Hub, body: dict[str, Any], result: dict[str, Any], rules: list[Rule]
) -> None:
    await asyncio.sleep(hub.settings.result_delay)
    if pick(rules, "query_timeout"):
        echo = {k: v for k, v in body.items() if k != "SecurityCredential"}
        await hub.call(body["QueueTimeOutURL"], body=echo)
    elif not pick(rules, "query_none"):
        await hub.call(body["ResultURL"], body=result)


def _find(hub: Hub, shortcode: str, body: dict[str, Any]) -> Payment | None:
    """Find a payment by receipt, by our id or by the wallet's own id."""
    original = str(body.get("OriginalConversationID") or "")
    named = str(body.get("TransactionID") or "")
    for payment in (
        hub.state.payments.get((shortcode, original)),
        hub.state.by_conversation.get(original),
        hub.state.by_receipt.get(named),
    ):
        if payment is not None and payment.shortcode == shortcode:
            return payment
    return None


async def _query(request: web.Request, command: str) -> web.Response:
    hub = request.app[HUB]
    body = await _read(request)
    check_query(body, command)
    wrong = _credential_code(request, body, body["Initiator"])
    ids = (_request_id(), _conversation())
    shortcode = str(body["PartyA"])
    payment: Payment | None = None
    if command == "TransactionStatusQuery":
        payment = _find(hub, shortcode, body)
    rules = hub.faults.take("wallet", "query", [payment.phone] if payment else [])
    if wrong:
        result = refusal(wrong, ids, _today())
    elif command == "TransactionStatusQuery":
        lie = pick(rules, "query_contradicts") is not None
        occasion = str(body.get("Occasion") or "")
        result = status_result(payment, ids, occasion, lie, _today())
    else:
        result = balance_result(hub, shortcode, ids, _today())
    hub.spawn(_answer_query(hub, body, result, rules))
    return plain_json(_accepted(ids[1], ids[0]))


@routes.post("/mpesa/transactionstatus/v1/query")
@_guard
async def status(request: web.Request) -> web.Response:
    """Ask what became of a payment; the answer comes to ResultURL."""
    return await _query(request, "TransactionStatusQuery")


@routes.post("/mpesa/accountbalance/v1/query")
@_guard
async def balance(request: web.Request) -> web.Response:
    """Ask for the balances of a shortcode; the answer comes to ResultURL."""
    return await _query(request, "AccountBalance")
