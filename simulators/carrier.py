"""The Africa's Talking stand-in: sending SMS, the inbox and the account.

Shapes follow the public API: ``POST /version1/messaging`` answers 201 with one entry
per recipient, and a refused request looks like success with no Recipients.
"""

import asyncio
import re
import secrets
from typing import Any

from aiohttp import web

from simulators import gsm
from simulators.callbacks import planned_reports, tell_reports
from simulators.faults import STATUSES, Rule, pick
from simulators.hub import HUB, Hub, cut, never, plain_json
from simulators.state import Sms, stamp

routes = web.RouteTableDef()

SHARED_SENDER = "AFRICASTKNG"
PART_COST_MINOR = 80  # KES 0.80 for one part
DEFAULT_BALANCE = 1_000_000  # KES
ACCEPTED = (100, 101, 102)
E164 = re.compile(r"\+[1-9]\d{7,14}")
KENYAN_MOBILE = re.compile(r"\+254[17]\d{8}")


def _kes(cost_minor: int) -> str:
    return f"KES {cost_minor / 100:.4f}"


def _refused() -> web.Response:
    return web.Response(status=401, text="The supplied authentication is invalid")


def _missing(field: str) -> web.Response:
    return web.Response(
        status=400, text=f"Request is missing required form field '{field}'"
    )


def _known_key(hub: Hub, request: web.Request, username: str) -> bool:
    """Say whether the apiKey header is there and, if one was registered, right."""
    key = request.headers.get("apiKey", "")
    wanted = hub.directory.tenant(username).get("api_key")
    return bool(key) and (not wanted or secrets.compare_digest(key, wanted))


def _natural_status(hub: Hub, username: str, number: str, cost_minor: int) -> int:
    if not E164.fullmatch(number):
        return 403
    if number.startswith("+254") and not KENYAN_MOBILE.fullmatch(number):
        return 404
    balance = hub.directory.tenant(username).get("sms_balance", DEFAULT_BALANCE)
    spent = hub.state.sms_spent_minor[username]
    return 405 if spent + cost_minor > float(balance) * 100 else 101


def _recipient(
    number: str, code: int, message_id: str, cost_minor: int, parts: int
) -> dict[str, Any]:
    """Build one entry of Recipients; the order of its keys varies with the id."""
    accepted = code in ACCEPTED
    entry: dict[str, Any] = {
        "statusCode": code,
        "number": number,
        "status": "Success" if accepted else STATUSES[code],
        "cost": _kes(cost_minor) if accepted else "0",
        "messageId": message_id if accepted else "None",
        "messageParts": parts if accepted else 0,
    }
    turn = sum(message_id.encode()) % len(entry)
    keys = list(entry)
    return {key: entry[key] for key in keys[turn:] + keys[:turn]}


def _accept_one(
    hub: Hub, username: str, sender: str, number: str, text: str
) -> tuple[dict[str, Any], Sms | None, list[Rule]]:
    """Store one message (or refuse it): its entry, the message, its report faults."""
    parts = gsm.parts(text)
    cost_minor = parts * PART_COST_MINOR
    rules = hub.faults.take("sms", "recipient", [number])
    told = pick(rules, "status")
    natural = _natural_status(hub, username, number, cost_minor)
    code = int(told.code) if told else natural
    message_id = "ATXid_" + secrets.token_hex(16)
    entry = _recipient(number, code, message_id, cost_minor, parts)
    if pick(rules, "no_parts"):
        entry.pop("messageParts")
    if code not in ACCEPTED:
        return entry, None, []
    report_rules = hub.faults.take("sms", "report", [number])
    final = pick(report_rules, "report_final")
    sms = Sms(
        id=message_id,
        username=username,
        sender=sender,
        to=number,
        text=text,
        at=stamp(),
        parts=parts,
        cost_minor=cost_minor,
        reaches=final is None or final.status == "Success",
        reports=planned_reports(hub, report_rules),
    )
    hub.state.record_sms(sms)
    return entry, sms, report_rules


def _envelope(recipients: list[dict[str, Any]], cost_minor: int) -> dict[str, Any]:
    sent = sum(entry["statusCode"] in ACCEPTED for entry in recipients)
    words = f"Sent to {sent}/{len(recipients)} Total Cost: {_kes(cost_minor)}"
    return {"SMSMessageData": {"Message": words, "Recipients": recipients}}


def _whole_refusal(message: str) -> web.Response:
    return plain_json({"SMSMessageData": {"Message": message, "Recipients": []}}, 201)


async def _before_accepting(
    request: web.Request, rules: list[Rule]
) -> web.Response | None:
    """Play the faults in which nothing is accepted."""
    if pick(rules, "drop"):
        return cut(request)
    if (rule := pick(rules, "http")) is not None:
        if rule.code == "401":
            return _refused()
        words = {"429": "Too Many Requests", "500": ""}.get(rule.code, "Not available")
        return web.Response(status=int(rule.code), text=words)
    if (rule := pick(rules, "empty")) is not None:
        return _whole_refusal(rule.message or "InvalidSenderId")
    return None


async def _answer(
    request: web.Request, rules: list[Rule], body: dict[str, Any]
) -> web.Response:
    """Answer an accepted send, or play the faults in which it was accepted."""
    if pick(rules, "lost"):
        return cut(request)
    if (rule := pick(rules, "hang")) is not None:
        return await never(request, rule.wait(60))
    if (rule := pick(rules, "slow")) is not None:
        await asyncio.sleep(rule.wait(5))
    answer = plain_json(body, 201)
    if pick(rules, "bad_json"):
        whole = answer.body
        assert isinstance(whole, bytes)
        answer.body = whole[: len(whole) // 2]
    if pick(rules, "charset"):
        answer.charset = "utf-8"
    return answer


async def _send(
    request: web.Request, username: str, sender: str, numbers: list[str], text: str
) -> web.Response:
    hub = request.app[HUB]
    rules = hub.faults.take("sms", "request", numbers)
    early = await _before_accepting(request, rules)
    if early is not None:
        return early
    senders = hub.directory.tenant(username).get("senders")
    if senders and sender not in senders:
        return _whole_refusal("InvalidSenderId")
    recipients: list[dict[str, Any]] = []
    cost_minor = 0
    for number in numbers:
        entry, sms, report_rules = _accept_one(hub, username, sender, number, text)
        recipients.append(entry)
        if sms is None:
            continue
        cost_minor += sms.cost_minor
        telling = hub.spawn(tell_reports(hub, sms))
        if pick(report_rules, "report_early"):
            await telling
    return await _answer(request, rules, _envelope(recipients, cost_minor))


@routes.post("/version1/messaging")
async def messaging(request: web.Request) -> web.Response:
    """Send one text to a comma-separated list of numbers (form)."""
    form = await request.post()
    fields = {key: str(value) for key, value in form.items()}
    if not _known_key(request.app[HUB], request, fields.get("username", "")):
        return _refused()
    for field in ("username", "to", "message"):
        if not fields.get(field):
            return _missing(field)
    numbers = [number.strip() for number in fields["to"].split(",") if number.strip()]
    sender = fields.get("from") or SHARED_SENDER
    return await _send(request, fields["username"], sender, numbers, fields["message"])


@routes.post("/version1/messaging/bulk")
async def bulk(request: web.Request) -> web.Response:
    """Send one text to a list of numbers (JSON, the newer endpoint)."""
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return web.Response(status=400, text="The request content was malformed")
    username = str(body.get("username") or "")
    if not _known_key(request.app[HUB], request, username):
        return _refused()
    numbers = body.get("phoneNumbers")
    if not isinstance(numbers, list) or not numbers:
        return _missing("phoneNumbers")
    for field in ("username", "message", "senderId"):
        if not isinstance(body.get(field), str) or not body[field]:
            return _missing(field)
    return await _send(
        request, username, body["senderId"], list(map(str, numbers)), body["message"]
    )


@routes.get("/version1/messaging")
async def inbox(request: web.Request) -> web.Response:
    """List what phones sent to a username after ``lastReceivedId``, 100 at most."""
    hub = request.app[HUB]
    username = request.query.get("username", "")
    if not _known_key(hub, request, username):
        return _refused()
    after = request.query.get("lastReceivedId", "0")
    last = int(after) if after.isdigit() else 0
    mine = [
        {
            "linkId": message.link_id,
            "text": message.text,
            "to": message.to,
            "id": message.number,
            "date": message.at,
            "from": message.phone,
        }
        for message in hub.state.inbound.values()
        if message.username == username and message.number > last
    ]
    return plain_json({"SMSMessageData": {"Messages": mine[:100]}})


@routes.get("/version1/user")
async def user(request: web.Request) -> web.Response:
    """Tell the account's balance."""
    hub = request.app[HUB]
    username = request.query.get("username", "")
    if not _known_key(hub, request, username):
        return _refused()
    start = hub.directory.tenant(username).get("sms_balance", DEFAULT_BALANCE)
    left = float(start) - hub.state.sms_spent_minor[username] / 100
    return plain_json({"userData": {"balance": f"KES {left:.2f}"}})
