"""Pieces that go back to the workshop, and come back, or do not.

Lock order: ticket first, then (in ``orders``) work order, then job.
"""

import zoneinfo
from datetime import date, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from orders.services.jobs import record_verdict
from qc.enums import TICKET_MOVES, Grade, TicketState
from qc.models import Batch, Inspection, Item, ReworkTicket
from qc.services.batches import open_batch
from vrp.errors import Invalid
from vrp.events.services import Actor, record
from vrp.moves import check_move
from vrp.tenancy.models import Tenant


def open_ticket(inspection: Inspection, quantity: int, due_on: date) -> ReworkTicket:
    """A ticket for pieces of an inspection that go back to the workshop."""
    return ReworkTicket.objects.create(
        tenant=inspection.tenant,
        job=inspection.batch.job,
        inspection=inspection,
        quantity=quantity,
        due_on=due_on,
    )


def due_on_for(tenant: Tenant) -> date:
    """Today where the tenant is, plus the days it gives for rework."""
    today = timezone.localdate(timezone=zoneinfo.ZoneInfo(tenant.timezone))
    return today + timedelta(days=tenant.rework_days)


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
        open_ticket(ticket.inspection, missing, ticket.due_on)
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


def _items_away(ticket: ReworkTicket) -> QuerySet[Item]:
    """Pieces of the ticket's inspection that are still at the workshop, by serial.

    Their newest batch is still the one in which they were sent back.
    """
    return Item.objects.filter(
        batch__inspection=ticket.inspection, grade=Grade.REWORK
    ).order_by("serial")
