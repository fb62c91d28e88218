"""Goods on their way in: booked by the workshop, counted at headquarters."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from artisans.models import Workshop
from orders.enums import (
    DELIVERY_MOVES,
    JOB_AT_WORKSHOP,
    JOB_MOVES,
    DeliveryState,
    JobState,
)
from orders.models import Delivery, DeliveryLine, Job
from vrp.errors import IllegalMove, Invalid
from vrp.events.services import Actor, record
from vrp.moves import check_move
from vrp.tenancy.numbers import next_number

# How far ahead a delivery may be booked.
HORIZON = timedelta(days=60)


@transaction.atomic
def book_delivery(
    *, workshop: Workshop, pieces: dict[Job, int], booked_for: date, actor: Actor
) -> Delivery:
    """Announce pieces of one or more jobs for a day.

    Booking the same pieces for the same day again returns the first booking. Raises
    ``Invalid`` for a past day or a number beyond what is still to be delivered, and
    ``IllegalMove`` for a job that is not at work in this workshop.
    """
    today = timezone.localdate()
    if not today <= booked_for <= today + HORIZON:
        raise Invalid("Choose a day from today on.", field="booked_for")
    if not pieces:
        raise Invalid("Choose at least one job to bring.", field="pieces")
    Workshop.objects.select_for_update(of=("self",)).get(pk=workshop.pk)
    same = _same_booking(workshop, pieces, booked_for)
    if same:
        return same
    for job, declared in pieces.items():
        _check_booking(workshop, job, declared)
    delivery = Delivery.objects.create(
        tenant=workshop.tenant,
        number=next_number(workshop.tenant, "delivery"),
        workshop=workshop,
        booked_for=booked_for,
    )
    DeliveryLine.objects.bulk_create(
        DeliveryLine(
            tenant=workshop.tenant, delivery=delivery, job=job, declared=declared
        )
        for job, declared in pieces.items()
    )
    record(
        "delivery.booked",
        subject=delivery,
        actor=actor,
        data={
            "booked_for": booked_for.isoformat(),
            "jobs": {str(job.number): count for job, count in pieces.items()},
        },
    )
    return delivery


def _same_booking(
    workshop: Workshop, pieces: dict[Job, int], booked_for: date
) -> Delivery | None:
    wanted = {job.pk: declared for job, declared in pieces.items()}
    booked = Delivery.objects.filter(
        workshop=workshop, booked_for=booked_for, state=DeliveryState.BOOKED
    ).prefetch_related("lines")
    for delivery in booked:
        if {row.job_id: row.declared for row in delivery.lines.all()} == wanted:
            return delivery
    return None


def _check_booking(workshop: Workshop, job: Job, declared: int) -> None:
    job = Job.objects.get(pk=job.pk)
    if job.workshop_id != workshop.pk or job.state not in JOB_AT_WORKSHOP:
        raise IllegalMove(f"Job {job.number} has nothing to deliver.")
    booked = sum(
        row.declared
        for row in job.delivery_lines.filter(delivery__state=DeliveryState.BOOKED)
    )
    left = job.to_deliver - booked
    if not 1 <= declared <= left:
        raise Invalid(
            f"Job {job.number}: {max(left, 0)} pieces are left to book.", field="pieces"
        )


@transaction.atomic
def receive_delivery(
    *, delivery: Delivery, counts: dict[int, int], actor: Actor
) -> Delivery:
    """Count what came in: ``counts`` maps each delivery line's id to counted pieces.

    Receiving again changes nothing. A short count leaves the rest with the job. Raises
    ``Invalid`` when a line's count is missing, negative or beyond what the job lacks.
    """
    delivery = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
    number = f"Delivery {delivery}"
    if not check_move(DELIVERY_MOVES, delivery.state, DeliveryState.RECEIVED, number):
        return delivery
    lines = list(delivery.lines.select_related("job").order_by("job_id"))
    if set(counts) != {line.pk for line in lines}:
        raise Invalid("Count every job of the delivery.", field="counts")
    delivery.state, delivery.received_at = DeliveryState.RECEIVED, timezone.now()
    delivery.save(update_fields=["state", "received_at"])
    for line in lines:
        _receive_line(line, counts[line.pk], actor)
    record(
        "delivery.received",
        subject=delivery,
        actor=actor,
        data={
            "lines": [[line.job.number, line.declared, line.counted] for line in lines]
        },
    )
    return delivery


def _receive_line(line: DeliveryLine, counted: int, actor: Actor) -> None:
    job = Job.objects.select_for_update(of=("self",)).get(pk=line.job_id)
    if not 0 <= counted <= job.to_deliver:
        raise Invalid(
            f"Job {job.number}: count 0 to {job.to_deliver} pieces.", field="counts"
        )
    line.job, line.counted = job, counted
    line.save(update_fields=["counted"])
    if not counted:
        return
    job.delivered += counted
    job.made = max(job.made, job.delivered)
    job.delivered_at = timezone.now()
    state = JobState.IN_PROGRESS if job.to_deliver else JobState.DELIVERED
    if check_move(JOB_MOVES, job.state, state, f"Job {job.number}"):
        job.state = state
    job.save(update_fields=["delivered", "made", "delivered_at", "state"])
    record("job.delivered", subject=job, actor=actor, data={"counted": counted})


@transaction.atomic
def cancel_delivery(*, delivery: Delivery, actor: Actor, reason: str) -> Delivery:
    """Take back a booking that will not come."""
    delivery = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
    number = f"Delivery {delivery}"
    if not check_move(DELIVERY_MOVES, delivery.state, DeliveryState.CANCELLED, number):
        return delivery
    delivery.state = DeliveryState.CANCELLED
    delivery.save(update_fields=["state"])
    record("delivery.cancelled", subject=delivery, actor=actor, reason=reason)
    return delivery
