"""Grading: opening batches, giving every piece its verdict, and the rework loop.

Lock order: batch or ticket first, then (in ``orders``) work order, then job.
"""

import zoneinfo
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from orders.models import DeliveryLine, Job
from orders.services.jobs import record_verdict
from qc.defects import DEFAULT_DEFECTS
from qc.enums import (
    NEEDS_DEFECT,
    TICKET_MOVES,
    BatchKind,
    BatchState,
    DefectClass,
    Grade,
    TicketState,
)
from qc.models import Batch, Defect, Inspection, Item, ItemGrade, ReworkTicket
from vrp.accounts.models import User
from vrp.errors import Invalid
from vrp.events.services import Actor, record
from vrp.moves import check_move
from vrp.tenancy.models import Tenant
from vrp.tenancy.numbers import next_number

MAX_NOTE = 2_000


@dataclass(frozen=True)
class Verdict:
    """So many pieces of a batch got this grade, for this reason.

    ``serials`` (rework batches only) says exactly which pieces; without it the pieces
    are taken in the order of their serials.
    """

    grade: Grade
    count: int
    defect: Defect | None = None
    serials: tuple[str, ...] = ()


@transaction.atomic
def ensure_default_defects(*, tenant: Tenant) -> list[Defect]:
    """Give a tenant the usual defects; those it has or changed are left alone."""
    Defect.objects.bulk_create(
        [
            Defect(
                tenant=tenant, code=code, name=name, name_sw=name_sw, defect_class=kind
            )
            for code, name, name_sw, kind in DEFAULT_DEFECTS
        ],
        ignore_conflicts=True,
    )
    return list(Defect.objects.filter(tenant=tenant))


@transaction.atomic
def open_batch(
    *,
    job: Job,
    counted: int,
    actor: Actor,
    delivery_line: DeliveryLine | None = None,
    ticket: ReworkTicket | None = None,
) -> Batch:
    """Open what came in together for grading: a delivery's line or returned rework.

    The same line or ticket again returns its first batch. Raises ``Invalid`` when there
    is not one piece to grade.
    """
    known = Batch.objects.none()
    if delivery_line is not None:
        known = Batch.objects.filter(delivery_line=delivery_line)
    elif ticket is not None:
        known = Batch.objects.filter(ticket=ticket)
    first = known.first()
    if first is not None:
        return first
    if counted < 1:
        raise Invalid("A batch has at least one piece.", field="counted")
    batch = Batch.objects.create(
        tenant=job.tenant,
        number=next_number(job.tenant, "batch"),
        job=job,
        kind=BatchKind.REWORK if ticket is not None else BatchKind.FIRST,
        delivery_line=delivery_line,
        ticket=ticket,
        counted=counted,
    )
    record(
        "batch.opened",
        subject=batch,
        actor=actor,
        data={"batch": batch.number, "job": job.number, "counted": counted},
    )
    return batch


@transaction.atomic
def grade_batch(
    *,
    batch: Batch,
    verdicts: list[Verdict],
    grader: User,
    actor: Actor,
    note: str = "",
) -> Inspection:
    """Give every piece of a batch its grade, once. Pay and messages follow the event.

    The verdicts must add up to what was counted. B, rework and scrap name a defect; a
    defect of consistency gives B and nothing worse (facts A43, C1). Pieces sent to
    rework get a ticket due after ``tenant.rework_days``. A batch that is graded already
    returns its first inspection and changes nothing, whatever is posted.

    Raises ``Invalid`` with a sentence for the grader. The number of queries does not
    depend on the number of pieces.
    """
    rows = Batch.objects.select_for_update(of=("self",))
    batch = rows.select_related(
        "tenant", "job__work_order__component", "job__workshop", "ticket"
    ).get(pk=batch.pk)
    if batch.state == BatchState.GRADED:
        return batch.inspection
    verdicts = _checked(batch, verdicts, note)
    counts = Counter[str]()
    for verdict in verdicts:
        counts[verdict.grade] += verdict.count
    batch.state, batch.graded_at = BatchState.GRADED, timezone.now()
    inspection = Inspection.objects.create(
        tenant=batch.tenant,
        batch=batch,
        grader=grader,
        note=note.strip(),
        at=batch.graded_at,
        **{grade.value: counts[grade] for grade in Grade},
    )
    batch.save(update_fields=["state", "graded_at"])
    _grade_items(batch, inspection, verdicts)
    if counts[Grade.REWORK]:
        _open_ticket(inspection, counts[Grade.REWORK], _due_on(batch.tenant))
    record_verdict(
        job=batch.job,
        good=inspection.accepted,
        scrapped=inspection.scrap,
        rework=inspection.rework,
        actor=actor,
    )
    record(
        "batch.graded",
        subject=inspection,
        actor=actor,
        data=_graded_data(inspection, verdicts),
    )
    return inspection


def _checked(batch: Batch, verdicts: list[Verdict], note: str) -> list[Verdict]:
    """The verdicts that say something, or ``Invalid`` for the first that cannot be."""
    if len(note) > MAX_NOTE or "\x00" in note:
        raise Invalid(f"Keep the note below {MAX_NOTE} letters.", field="note")
    found = []
    for verdict in verdicts:
        if verdict.grade not in Grade.values:
            raise Invalid("Unknown grade.", field="grade")
        if verdict.count < 0:
            raise Invalid(
                f"{verdict.grade.label}: a count cannot be below zero.",
                field=verdict.grade,
            )
        if verdict.count:
            _check_defect(batch, verdict)
            _check_serials(batch, verdict)
            found.append(verdict)
    total = sum(verdict.count for verdict in found)
    if total != batch.counted:
        off = abs(batch.counted - total)
        raise Invalid(
            f"{batch.counted} pieces were counted in, but the grades add up to {total}: "
            f"{off} {'too many' if total > batch.counted else 'still to grade'}.",
            field="total",
        )
    return sorted(found, key=lambda verdict: Grade.values.index(verdict.grade))


def _check_defect(batch: Batch, verdict: Verdict) -> None:
    grade, defect = verdict.grade, verdict.defect
    if defect is None:
        if grade in NEEDS_DEFECT:
            raise Invalid(
                f"Say what is wrong with the {verdict.count} pieces in {grade.label}.",
                field=grade,
            )
        return
    if grade not in NEEDS_DEFECT:
        raise Invalid(f"{grade.label} pieces have no defect.", field=grade)
    if defect.tenant_id != batch.tenant_id:
        raise Invalid("There is no such defect.", field=grade)
    if defect.defect_class == DefectClass.CONSISTENCY and grade != Grade.B:
        raise Invalid(
            f'"{defect.name}" is a difference within the batch: it gives B, not '
            f"{grade.label}.",
            field=grade,
        )


def _check_serials(batch: Batch, verdict: Verdict) -> None:
    if not verdict.serials:
        return
    if batch.kind != BatchKind.REWORK:
        raise Invalid("These pieces get their serials now.", field=verdict.grade)
    if len(set(verdict.serials)) != verdict.count:
        raise Invalid(
            f"{verdict.grade.label}: {verdict.count} pieces, but "
            f"{len(set(verdict.serials))} serials.",
            field=verdict.grade,
        )


def _grade_items(batch: Batch, inspection: Inspection, verdicts: list[Verdict]) -> None:
    """Write the piece rows: new ones with serials, or the returned ones again."""
    if batch.kind == BatchKind.REWORK:
        graded = _returned_items(batch, verdicts)
    else:
        graded = _new_items(batch, verdicts)
    ItemGrade.objects.bulk_create(
        ItemGrade(
            tenant=batch.tenant,
            item=item,
            inspection=inspection,
            grade=verdict.grade,
            defect=verdict.defect,
        )
        for item, verdict in graded
    )


def _new_items(batch: Batch, verdicts: list[Verdict]) -> list[tuple[Item, Verdict]]:
    code = batch.job.work_order.component.code
    width = max(3, len(str(batch.counted)))
    graded: list[tuple[Item, Verdict]] = []
    for verdict in verdicts:
        for _ in range(verdict.count):
            serial = f"{code}-{batch.number}-{len(graded) + 1:0{width}d}"
            item = Item(
                tenant=batch.tenant,
                serial=serial,
                job=batch.job,
                batch=batch,
                grade=verdict.grade,
            )
            graded.append((item, verdict))
    Item.objects.bulk_create([item for item, _ in graded])
    return graded


def _returned_items(
    batch: Batch, verdicts: list[Verdict]
) -> list[tuple[Item, Verdict]]:
    """The batch's own pieces: first those a verdict names, then by serial."""
    items = {item.serial: item for item in batch.items.order_by("serial")}
    graded: list[tuple[Item, Verdict]] = []
    for verdict in verdicts:
        for serial in dict.fromkeys(verdict.serials):
            item = items.pop(serial, None)
            if item is None:
                raise Invalid(
                    f"{serial} is not one of the open pieces of {batch}.",
                    field=verdict.grade,
                )
            graded.append((item, verdict))
    rest = iter(items.values())
    for verdict in verdicts:
        if not verdict.serials:
            graded += [(next(rest), verdict) for _ in range(verdict.count)]
    for grade in {verdict.grade for verdict in verdicts}:
        Item.objects.filter(
            pk__in=[item.pk for item, verdict in graded if verdict.grade == grade]
        ).update(grade=grade)
    return graded


def _open_ticket(inspection: Inspection, quantity: int, due_on: date) -> ReworkTicket:
    return ReworkTicket.objects.create(
        tenant=inspection.tenant,
        job=inspection.batch.job,
        inspection=inspection,
        quantity=quantity,
        due_on=due_on,
    )


def _due_on(tenant: Tenant) -> date:
    """Today where the tenant is, plus the days it gives for rework."""
    today = timezone.localdate(timezone=zoneinfo.ZoneInfo(tenant.timezone))
    return today + timedelta(days=tenant.rework_days)


def _graded_data(inspection: Inspection, verdicts: list[Verdict]) -> dict[str, object]:
    batch = inspection.batch
    defects = Counter[str]()
    consistency_b = 0
    for verdict in verdicts:
        if verdict.defect is None:
            continue
        defects[verdict.defect.code] += verdict.count
        if verdict.defect.defect_class == DefectClass.CONSISTENCY:
            consistency_b += verdict.count
    return {
        **{grade.value: getattr(inspection, grade.value) for grade in Grade},
        "accepted": inspection.accepted,
        "consistency_b": consistency_b,
        "defects": dict(defects),
        "batch": batch.number,
        "job": batch.job.number,
        "kind": batch.kind,
    }


@transaction.atomic
def return_rework(*, ticket: ReworkTicket, counted: int, actor: Actor) -> Batch:
    """Take mended pieces back in and open a batch for their second inspection.

    Fewer than sent: the missing ones go on as an open ticket with the same date. A
    ticket that is returned already gives its batch and changes nothing. Raises
    ``Invalid`` for a count outside 1..sent, ``IllegalMove`` for one written off.
    """
    ticket = _lock_ticket(ticket)
    what = f"The rework of job {ticket.job.number}"
    if not check_move(TICKET_MOVES, ticket.state, TicketState.RETURNED, what):
        return ticket.batch
    if not 1 <= counted <= ticket.quantity:
        raise Invalid(
            f"Count 1 to {ticket.quantity} pieces: {ticket.quantity} were sent back.",
            field="counted",
        )
    sent, missing = ticket.quantity, ticket.quantity - counted
    ticket.quantity = counted
    ticket.state, ticket.returned_at = TicketState.RETURNED, timezone.now()
    ticket.save(update_fields=["quantity", "state", "returned_at"])
    if missing:
        _open_ticket(ticket.inspection, missing, ticket.due_on)
    batch = open_batch(job=ticket.job, counted=counted, ticket=ticket, actor=actor)
    back = _items_away(ticket)[:counted].values_list("pk", flat=True)
    Item.objects.filter(pk__in=list(back)).update(batch=batch)
    record(
        "rework.returned",
        subject=ticket,
        actor=actor,
        data={
            "batch": batch.number,
            "job": ticket.job.number,
            "sent": sent,
            "counted": counted,
            "missing": missing,
        },
    )
    return batch


@transaction.atomic
def write_off_rework(
    *, ticket: ReworkTicket, reason: str, actor: Actor
) -> ReworkTicket:
    """Give up on pieces that will not come back: they count as scrap and are planned
    again. Raises ``Invalid`` without a reason, ``IllegalMove`` once they returned.
    """
    ticket = _lock_ticket(ticket)
    what = f"The rework of job {ticket.job.number}"
    if not check_move(TICKET_MOVES, ticket.state, TicketState.LOST, what):
        return ticket
    if not reason.strip() or len(reason) > 200 or "\x00" in reason:
        raise Invalid("Say in a few words why they will not come back.", field="reason")
    ticket.state = TicketState.LOST
    ticket.save(update_fields=["state"])
    gone = _items_away(ticket)[: ticket.quantity].values_list("pk", flat=True)
    Item.objects.filter(pk__in=list(gone)).update(grade=Grade.SCRAP)
    record_verdict(
        job=ticket.job, good=0, scrapped=ticket.quantity, rework=0, actor=actor
    )
    record(
        "rework.written_off",
        subject=ticket,
        actor=actor,
        reason=reason.strip(),
        data={"job": ticket.job.number, "quantity": ticket.quantity},
    )
    return ticket


def _lock_ticket(ticket: ReworkTicket) -> ReworkTicket:
    rows = ReworkTicket.objects.select_for_update(of=("self",))
    return rows.select_related("job__tenant", "inspection__tenant", "tenant").get(
        pk=ticket.pk
    )


def _items_away(ticket: ReworkTicket):  # type: ignore[no-untyped-def]
    """Pieces of the ticket's inspection that are still at the workshop, by serial.

    Their newest batch is still the one in which they were sent back.
    """
    return Item.objects.filter(
        batch__inspection=ticket.inspection, grade=Grade.REWORK
    ).order_by("serial")

