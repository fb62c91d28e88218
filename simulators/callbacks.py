"""What the carrier calls back with: delivery reports and inbound SMS.

Delivery reports are sent once. An inbound SMS is sent again until the product answers
200, as the carrier does each minute for 12 hours.
"""

import asyncio
import re
import secrets
import uuid
from datetime import datetime

from simulators.faults import Rule, pick
from simulators.hub import Hub
from simulators.state import Inbound, Sms, Step, stamp

INBOUND_COST = "KES 0.0000"
NETWORKS = (
    (r"\+254(76[3-6])", "63999"),  # Equitel
    (r"\+254(77)", "63907"),  # Telkom
    (r"\+254(73|78|75[0-6]|762|10[0-6])", "63903"),  # Airtel
    (r"\+254(7|11)", "63902"),  # Safaricom
)


def network_code(phone: str) -> str:
    """Return the carrier's code of a Kenyan number by prefix; 99999 elsewhere."""
    for pattern, code in NETWORKS:
        if re.match(pattern, phone):
            return code
    return "99999"


def planned_reports(hub: Hub, rules: list[Rule]) -> list[Step]:
    """Lay out the delivery reports of one message, with the faults that hit it."""
    if pick(rules, "report_none"):
        return []
    gap = hub.settings.report_delay
    statuses = ["Sent", "Success"]
    reason = ""
    if (rule := pick(rules, "report_final")) is not None:
        statuses[-1], reason = rule.status or "Failed", rule.reason
    if pick(rules, "report_buffered"):
        statuses.insert(1, "Buffered")
    if pick(rules, "report_reversed"):
        statuses.reverse()
    copies = 3 if pick(rules, "report_repeated") else 1
    late = pick(rules, "report_late")
    first = late.wait(5) if late else gap
    if pick(rules, "report_early"):
        first = gap = 0
    steps: list[Step] = []
    for place, status in enumerate(statuses):
        for copy in range(copies):
            wait = 0 if copy else (gap if place else first)
            steps.append({"status": status, "wait": wait})
    if reason:
        for step in steps:
            if step["status"] in ("Failed", "Rejected"):
                step["failureReason"] = reason
    if pick(rules, "report_stranger"):
        steps.insert(0, {"status": "Success", "wait": first, "stranger": True})
    return steps


async def tell_reports(hub: Hub, sms: Sms) -> None:
    """Send the reports that are still to tell, each once, in their planned order."""
    for step in sms.reports[sms.told :]:
        await asyncio.sleep(step["wait"])
        url = hub.directory.tenant(sms.username).get("sms_delivery_url")
        stranger = step.get("stranger")
        form = {
            "id": "ATXid_" + secrets.token_hex(16) if stranger else sms.id,
            "status": step["status"],
            "phoneNumber": sms.to,
            "networkCode": network_code(sms.to),
        }
        if "failureReason" in step:
            form["failureReason"] = step["failureReason"]
        if url:
            await hub.call(url, form=form)
        hub.state.record_report(sms)


def new_inbound(hub: Hub, username: str, phone: str, to: str, text: str) -> Inbound:
    """Write down an SMS that a phone has sent, before anyone is told of it."""
    number = hub.state.inbound_count + 1
    message = Inbound(
        id=str(uuid.uuid4()),
        number=number,
        username=username,
        phone=phone,
        to=to,
        text=text,
        at=stamp(),
        # Only some messages carry a link id (on-demand ones, in the real service).
        link_id=str(uuid.uuid4()) if number % 3 == 0 else "",
    )
    hub.state.record_inbound(message)
    return message


def inbound_form(message: Inbound) -> dict[str, str]:
    """Return the callback's fields; the date comes in either documented form."""
    moment = datetime.fromisoformat(message.at)
    pattern = "%Y-%m-%dT%H:%M:%SZ" if message.number % 2 else "%Y-%m-%d %H:%M:%S"
    form = {
        "date": moment.strftime(pattern),
        "from": message.phone,
        "id": message.id,
        "text": message.text,
        "to": message.to,
        "networkCode": network_code(message.phone),
        "cost": INBOUND_COST,
    }
    if message.link_id:
        form["linkId"] = message.link_id
    return form


async def deliver_inbound(hub: Hub, message: Inbound) -> None:
    """Post an inbound SMS until the product answers 200 or the tries are used up."""
    copies = 2 if hub.faults.take("sms", "inbound", [message.phone]) else 1
    form = inbound_form(message)
    for attempt in range(hub.settings.inbound_tries):
        if attempt:
            await asyncio.sleep(hub.settings.inbound_retry)
        url = hub.directory.tenant(message.username).get("sms_inbound_url")
        if not url:
            continue
        answers = [(await hub.call(url, form=form))[0] for _ in range(copies)]
        if answers[-1] == 200:
            break
    hub.state.record_inbound_done(message)


def resume(hub: Hub) -> None:
    """Take up, after a restart, what an earlier process had not told yet."""
    for sms in hub.state.sms.values():
        if sms.told < len(sms.reports):
            hub.spawn(tell_reports(hub, sms))
    for message in hub.state.inbound.values():
        if not message.done:
            hub.spawn(deliver_inbound(hub, message))
