"""What an artisan is told when something happens to her work or her money.

Each function writes at most one SMS per thing, in the transaction of its cause. The
purpose carries the event's name and the thing, so a cause that repeats writes nothing.
"""

from typing import Any

from artisans.models import Workshop
from orders.models import Delivery, DeliveryLine, Job
from payments.models import Payable, Payout
from phone import queries, words
from phone.services import queue_message
from phone.texts import language_of
from qc.models import Inspection, ReworkTicket
from qc.queries import top_defect
from vrp.events.models import Event
from vrp.events.services import Actor, on

TELLER = Actor.system("phone")


def _tell(
    workshop: Workshop, template: str, event: Event, about: int, values: dict[str, Any]
) -> None:
    queue_message(
        tenant=event.tenant,
        workshop=workshop,
        template=template,
        values=values,
        purpose=f"{event.name}:{about}",
        actor=TELLER,
    )


def _job_values(job: Job) -> dict[str, Any]:
    language = language_of(job.workshop.language)
    return {
        "job": job.number,
        "quantity": job.quantity,
        "component": words.code(job.work_order.component.code),
        "rate": words.money(job.piece_rate_minor, job.currency),
        "total": words.amount(job.value_minor, job.currency),
        "due": words.day(job.due_on, language),
    }


@on("job.offered")
def offer(event: Event, job: Job) -> None:
    values = {**_job_values(job), "ussd": queries.ussd_code()}
    _tell(job.workshop, "offer", event, job.pk, values)


@on("job.withdrawn")
def withdrawn(event: Event, job: Job) -> None:
    """An offer she never took is over; work she began must stop."""
    template = "job_withdrawn" if job.answered_at else "offer_withdrawn"
    _tell(job.workshop, template, event, job.pk, _job_values(job))


@on("job.lapsed")
def lapsed(event: Event, job: Job) -> None:
    _tell(job.workshop, "lapsed", event, job.pk, _job_values(job))


@on("delivery.received")
def counted(event: Event, delivery: Delivery) -> None:
    """Only when our count differs from hers; both numbers are said."""
    lines = delivery.lines.select_related("job").order_by("pk")
    for line in lines:
        if line.counted is not None and line.counted != line.declared:
            _tell_count(event, delivery, line, line.counted)


def _tell_count(
    event: Event, delivery: Delivery, line: DeliveryLine, count: int
) -> None:
    short = line.declared - count
    values = {
        "delivery": str(delivery),
        "job": line.job.number,
        "declared": line.declared,
        "counted": count,
        "missing": short,
    }
    template = "count_short" if short > 0 else "count_over"
    _tell(delivery.workshop, template, event, line.pk, values)


@on("batch.graded")
def graded(event: Event, inspection: Inspection) -> None:
    """Grades, rework with its reason and day, and what the batch earns."""
    job = inspection.batch.job
    language = language_of(job.workshop.language)
    values: dict[str, Any] = {
        "batch": str(inspection.batch),
        "grades": _grades(inspection, language),
    }
    payable = Payable.objects.filter(inspection=inspection).first()
    if payable:
        values["items"] = payable.items
        values["pay"] = words.money(payable.amount_minor, payable.currency)
    template = "graded" if payable else "graded_unpaid"
    _tell(job.workshop, template, event, inspection.pk, values)


def _grades(inspection: Inspection, language: str) -> str:
    """60 AA, 28 A, 4 B, 6 rework (scratch) by 20 Mar, 1 scrap."""
    said = {"rework": "rework", "scrap": "scrap", "by": "by"}
    if language == "sw":
        said = {"rework": "kurekebisha", "scrap": "zimetupwa", "by": "kabla ya"}
    parts = [
        f"{count} {grade}"
        for grade, count in (
            ("AA", inspection.aa),
            ("A", inspection.a),
            ("B", inspection.b),
        )
        if count
    ]
    if inspection.rework:
        why = _main_defect(inspection, language)
        reason = f" ({why})" if why else ""
        ticket = ReworkTicket.objects.filter(inspection=inspection).first()
        due = f" {said['by']} {words.day(ticket.due_on, language)}" if ticket else ""
        parts.append(f"{inspection.rework} {said['rework']}{reason}{due}")
    if inspection.scrap:
        parts.append(f"{inspection.scrap} {said['scrap']}")
    return words.joined(parts)


def _main_defect(inspection: Inspection, language: str) -> str:
    """The commonest reason for rework, at most 20 characters."""
    defect = top_defect(inspection)
    if defect is None:
        return ""
    name = defect.name_sw if language == "sw" else defect.name
    return words.clip(name.lower(), 20)


@on("payout.paid")
def paid(event: Event, payout: Payout) -> None:
    values = {**_payout_values(payout), "receipt": words.clip(payout.receipt, 16)}
    _tell(payout.workshop, "paid", event, payout.pk, values)


@on("payout.failed")
def payout_failed(event: Event, payout: Payout) -> None:
    values = _payout_values(payout)
    _tell(payout.workshop, "payout_failed", event, payout.pk, values)


def _payout_values(payout: Payout) -> dict[str, Any]:
    return {
        "pay": words.money(payout.amount_minor, payout.currency),
        "run": str(payout.run),
    }
