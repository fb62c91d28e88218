"""Delivery reports: late, early, twice, in any order, about messages we may not know.

A report may come before the answer to the send that it is about. So both sides write and
commit first and look for the other afterwards: whichever comes last finds the first.
"""

from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from phone.enums import REPORT_STATES, Direction, MessageState
from phone.models import DeliveryReport, Message
from phone.services.inserts import insert_once
from phone.services.messages import CARRIER, lock, raise_state
from vrp.events.services import record
from vrp.tenancy.models import Tenant

log = structlog.get_logger(__name__)
# A report with an id we never got belongs to the message whose answer was lost, if it is
# the only such one to that phone within this time.
LOST_WINDOW = timedelta(minutes=10)


def take_report(
    *,
    tenant: Tenant,
    provider_id: str,
    status: str,
    phone: str = "",
    network_code: str = "",
    failure: str = "",
) -> DeliveryReport:
    """Store one report as it came, then see what it changes. Unknown ids and statuses
    are kept too and change nothing; the very same report again is only counted."""
    report = DeliveryReport(
        tenant=tenant,
        provider_id=provider_id[:80],
        status=status[:40],
        phone=phone[:20],
        network_code=network_code[:10],
        failure=failure[:80],
    )
    if not insert_once(report):
        report = _count_again(report)
    if status not in REPORT_STATES:
        log.warning("sms.unknown_report_status", status=status[:40])
    settle_report(report=report)
    return report


def _count_again(report: DeliveryReport) -> DeliveryReport:
    """The first report like this one, with one more of its kind counted."""
    first = DeliveryReport.objects.filter(
        provider_id=report.provider_id, status=report.status, failure=report.failure
    )
    first.update(times=F("times") + 1)
    return first.get()


@transaction.atomic
def settle_report(*, report: DeliveryReport) -> Message | None:
    """Apply a stored report to its message; None while that is not known."""
    found = _message_of(report)
    if found is None:
        return None
    message = lock(found.pk)
    if not message.provider_id:
        message.provider_id = report.provider_id
    report.message = message
    report.save(update_fields=["message"])
    _apply(message, report)
    return message


def settle_reports_of(message: Message) -> None:
    """Apply reports that overtook the carrier's answer."""
    open_reports = DeliveryReport.objects.filter(message=None)
    if message.provider_id:
        found = open_reports.filter(provider_id=message.provider_id)
    elif message.state == MessageState.UNKNOWN:
        since = timezone.now() - LOST_WINDOW
        found = open_reports.filter(phone=message.phone, at__gte=since)
    else:
        return
    for report in found.order_by("id"):
        settle_report(report=report)


def settle_open_reports() -> int:
    """Look again at the last day's reports without a message (a process may have died
    between writing and looking); how many found theirs. Called by the clock."""
    since = timezone.now() - timedelta(days=1)
    out = Message.objects.filter(direction=Direction.OUT)
    known = out.exclude(provider_id="").values("provider_id")
    lost = out.filter(state=MessageState.UNKNOWN, provider_id="").values("phone")
    waiting = DeliveryReport.objects.filter(message=None, at__gte=since)
    rows = waiting.filter(Q(provider_id__in=known) | Q(phone__in=lost)).order_by("id")
    return sum(settle_report(report=report) is not None for report in rows[:1000])


def _message_of(report: DeliveryReport) -> Message | None:
    out = Message.objects.filter(direction=Direction.OUT)
    if not report.provider_id:
        return None
    known = out.filter(provider_id=report.provider_id).first()
    return known or _lost_message(report)


def _lost_message(report: DeliveryReport) -> Message | None:
    """The one message to this phone whose answer was lost, if there is just one and no
    other is under way that the report could be about."""
    candidates = Message.objects.filter(
        direction=Direction.OUT,
        provider_id="",
        phone=report.phone,
        state__in=(MessageState.UNKNOWN, MessageState.SENDING),
        due_at__gte=timezone.now() - LOST_WINDOW,
    )[:2]
    found = list(candidates) if report.phone else []
    only = found[0] if len(found) == 1 else None
    return only if only and only.state == MessageState.UNKNOWN else None


def _apply(message: Message, report: DeliveryReport) -> None:
    if report.network_code:
        message.network_code = report.network_code
    state = REPORT_STATES.get(report.status)
    moved = state is not None and raise_state(message, state)
    if moved and state == MessageState.DELIVERED:
        message.delivered_at, message.failure = report.at, ""
    elif moved and state == MessageState.FAILED:
        message.failure = report.failure or report.status
    elif moved:
        message.failure = ""
    if moved:
        message.sent_at = message.sent_at or report.at
        message.leased_until = None
    message.save()
    if moved and state in (MessageState.DELIVERED, MessageState.FAILED):
        data = {"failure": message.failure} if message.failure else {}
        record(f"message.{state}", subject=message, actor=CARRIER, data=data)
