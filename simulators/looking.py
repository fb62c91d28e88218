"""Looking in and stirring: what tests, scripts and the handset use.

None of these addresses exists in the real services; all begin with an underscore.
"""

from typing import Any

from aiohttp import web

from simulators.callbacks import deliver_inbound, new_inbound
from simulators.directory import BadRegistration
from simulators.faults import BadFault
from simulators.hub import HUB, Hub, plain_json, read_object
from simulators.state import Inbound, Payment, Sms
from simulators.ussd import SESSIONS
from simulators.wallet import TOKENS
from simulators.wallet_results import balances

routes = web.RouteTableDef()


def sms_json(sms: Sms) -> dict[str, Any]:
    return {
        "id": sms.id,
        "from": sms.sender,
        "to": sms.to,
        "text": sms.text,
        "at": sms.at,
        "parts": sms.parts,
    }


def inbound_json(message: Inbound) -> dict[str, Any]:
    return {
        "id": message.id,
        "from": message.phone,
        "to": message.to,
        "text": message.text,
        "at": message.at,
        "delivered": message.done,
    }


def money_json(payment: Payment) -> dict[str, Any]:
    """Return one receipt of money; ``amount`` is whole KES."""
    return {
        "id": payment.originator,
        "amount": payment.amount,
        "receipt": payment.receipt,
        "at": payment.settles_at,
    }


def _error(message: str, status: int = 400) -> web.Response:
    return plain_json({"error": message}, status)


@routes.get("/_sms")
async def sms(request: web.Request) -> web.Response:
    """List the SMS a phone has received, oldest first."""
    to = request.query.get("to", "")
    if not to.strip():
        return _error("say whose messages: ?to=+2547...")
    return plain_json([sms_json(s) for s in request.app[HUB].state.received(to)])


@routes.get("/_wallet")
async def wallet(request: web.Request) -> web.Response:
    """List the money a phone has received, oldest first."""
    phone = request.query.get("phone", "")
    if not phone.strip():
        return _error("say whose money: ?phone=2547...")
    return plain_json([money_json(p) for p in request.app[HUB].state.money(phone)])


@routes.post("/_sms/reply")
async def reply(request: web.Request) -> web.Response:
    """Send an SMS as a phone: {from, to, text, username?}."""
    hub = request.app[HUB]
    body = await read_object(request)
    for field in ("from", "to", "text"):
        if not isinstance(body.get(field), str):
            return _error(f"{field} must be a text")
    if not body["from"].startswith("+"):
        return _error("from must be a phone such as +254712000001")
    username = body.get("username")
    if username is None:
        username = hub.directory.by_conversation(body["from"], body["to"])
    if not isinstance(username, str) or not hub.directory.tenant(username):
        return _error(f"nobody here receives SMS at {body['to']}", 404)
    message = new_inbound(hub, username, body["from"], body["to"], body["text"])
    hub.spawn(deliver_inbound(hub, message))
    return plain_json(inbound_json(message), 201)


@routes.post("/_register")
async def register(request: web.Request) -> web.Response:
    """Make a tenant known without ``demo.json``; the same username is replaced."""
    body = await read_object(request)
    try:
        username = request.app[HUB].directory.register(body)
    except BadRegistration as error:
        return _error(str(error))
    return plain_json({"username": username}, 201)


@routes.post("/_faults")
async def set_faults(request: web.Request) -> web.Response:
    """Replace all misbehaviour; ``{}`` clears it. ``expire_tokens`` ends all tokens."""
    body = await read_object(request)
    expire = body.pop("expire_tokens", False)
    try:
        request.app[HUB].faults.set(body)
    except BadFault as error:
        return _error(str(error))
    if expire:
        request.app[TOKENS].clear()
    return plain_json(request.app[HUB].faults.as_json())


@routes.get("/_faults")
async def get_faults(request: web.Request) -> web.Response:
    """Show the misbehaviour still in force."""
    return plain_json(request.app[HUB].faults.as_json())


@routes.get("/_state")
async def state(request: web.Request) -> web.Response:
    """Count everything."""
    hub = request.app[HUB]
    return plain_json(_counts(hub) | {"tokens_minted": request.app[TOKENS].minted})


def _counts(hub: Hub) -> dict[str, Any]:
    memory = hub.state
    payments = list(memory.payments.values())
    paid = [p for p in payments if p.paid]
    return {
        "tenants": sorted(hub.directory.tenants()),
        "sms_sent": len(memory.sms),
        "reports_waiting": sum(len(s.reports) - s.told for s in memory.sms.values()),
        "sms_inbound": len(memory.inbound),
        "inbound_waiting": sum(not m.done for m in memory.inbound.values()),
        "payments": len(payments),
        "paid": len(paid),
        "paid_amount": sum(p.amount for p in paid),
        "results_waiting": sum(len(p.steps) - p.told for p in payments),
        "balances": {
            code: balances(hub, code)
            for code in sorted({p.shortcode for p in payments})
        },
        "faults": sum(len(rules) for rules in hub.faults.rules.values()),
    }


@routes.post("/_reset")
async def reset(request: web.Request) -> web.Response:
    """Forget messages, money, registrations, tokens, dials and misbehaviour."""
    hub = request.app[HUB]
    await hub.cancel_all()
    hub.state.record_reset()
    hub.faults.set({})
    request.app[TOKENS].clear()
    request.app[SESSIONS].by_id.clear()
    return plain_json({})
