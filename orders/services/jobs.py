"""The life of a job: offered, answered, made, delivered, graded.

Lock order is always work order, then job, so that two answers cannot wait for each other.
"""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from artisans.models import Workshop
from orders.enums import (
    JOB_AT_WORKSHOP,
    JOB_MOVES,
    JOB_OPEN,
    DeclineReason,
    JobState,
    WorkOrderState,
)
from orders.models import Job, WorkOrder
from orders.services.progress import refresh_order
from vrp.errors import IllegalMove, Invalid
from vrp.events.services import Actor, record
from vrp.moves import check_move
from vrp.tenancy.numbers import next_number


@transaction.atomic
def offer_job(
    *,
    work_order: WorkOrder,
    workshop: Workshop,
    quantity: int,
    actor: Actor,
    due_on: date | None = None,
    override_reason: str = "",
) -> Job:
    """Offer a lot to a workshop; the SMS follows from the event ``job.offered``.

    The lot may be below the tenant's minimum only if it is the whole rest or a reason is
    given (kept in the event). Raises ``Invalid`` for a bad quantity and ``IllegalMove``
    when the pieces are placed already or the workshop holds an open job of this work order.
    """
    work_order = _lock_work_order(work_order.pk)
    tenant = work_order.tenant
    if quantity < 1:
        raise Invalid("A lot has at least one piece.", field="quantity")
    if work_order.state != WorkOrderState.OPEN or quantity > work_order.open_quantity:
        raise IllegalMove(
            f"Only {max(work_order.open_quantity, 0)} pieces are still to be placed."
        )
    whole_rest = quantity == work_order.open_quantity
    if quantity < tenant.min_lot and not whole_rest and not override_reason:
        raise Invalid(
            f"The smallest lot is {tenant.min_lot} pieces; give a reason to go below.",
            field="quantity",
        )
    if work_order.jobs.filter(workshop=workshop, state__in=JOB_OPEN).exists():
        raise IllegalMove(f"{workshop.code} already holds a job of this work order.")
    now = timezone.now()
    job = Job.objects.create(
        tenant=tenant,
        number=next_number(tenant, "job"),
        work_order=work_order,
        workshop=workshop,
        quantity=quantity,
        offered_quantity=quantity,
        piece_rate_minor=work_order.component.piece_rate_minor,
        currency=tenant.currency,
        due_on=due_on or work_order.due_on,
        offered_at=now,
        expires_at=now + timedelta(hours=tenant.offer_hours),
    )
    work_order.placed += quantity
    work_order.save(update_fields=["placed"])
    record(
        "job.offered",
        subject=job,
        actor=actor,
        reason=override_reason,
        data={"workshop": workshop.code, "quantity": quantity},
    )
    refresh_order(order=work_order.line.order, actor=actor)
    return job


@transaction.atomic
def accept_job(*, job: Job, actor: Actor, quantity: int | None = None) -> Job:
    """Accept an offer, or a part of it; the rest goes back to be planned.

    Accepting again is a no-op. Raises ``Invalid`` for a part outside 1..offered.
    """
    work_order, job = _lock(job)
    taken = job.offered_quantity if quantity is None else quantity
    if not 1 <= taken <= job.offered_quantity:
        raise Invalid(
            f"Say a number from 1 to {job.offered_quantity}.", field="quantity"
        )
    if job.state in JOB_AT_WORKSHOP:
        return job
    if not check_move(JOB_MOVES, job.state, JobState.ACCEPTED, f"Job {job.number}"):
        return job
    job.state, job.answered_at = JobState.ACCEPTED, timezone.now()
    job.quantity = taken
    job.save(update_fields=["state", "answered_at", "quantity"])
    work_order.placed -= job.offered_quantity - taken
    work_order.accepted += taken
    work_order.save(update_fields=["placed", "accepted"])
    record(
        "job.accepted",
        subject=job,
        actor=actor,
        data={"quantity": taken, "offered": job.offered_quantity},
    )
    return job


@transaction.atomic
def decline_job(*, job: Job, reason: str, actor: Actor) -> Job:
    """Say no to an offer. The score of the workshop is untouched (facts C13)."""
    if reason not in DeclineReason.values:
        raise Invalid("Unknown reason.", field="reason")
    return _give_back(job, JobState.DECLINED, actor, decline_reason=reason)


@transaction.atomic
def lapse_job(*, job: Job, actor: Actor) -> Job:
    """Take back an offer that was not answered in time."""
    return _give_back(job, JobState.LAPSED, actor)


@transaction.atomic
def withdraw_job(*, job: Job, actor: Actor, reason: str) -> Job:
    """Take back an offer or an accepted job of which nothing was delivered yet."""
    if not reason.strip():
        raise Invalid("Say why; the workshop is told.", field="reason")
    return _give_back(job, JobState.WITHDRAWN, actor, why=reason)


def _give_back(
    job: Job, state: JobState, actor: Actor, *, decline_reason: str = "", why: str = ""
) -> Job:
    """End a job before anything was delivered; its pieces are to be planned again."""
    work_order, job = _lock(job)
    was_accepted = job.state in JOB_AT_WORKSHOP
    if was_accepted and job.delivered:
        raise IllegalMove(
            f"Job {job.number}: {job.delivered} pieces were delivered already; "
            "close it short instead."
        )
    if not check_move(JOB_MOVES, job.state, state, f"Job {job.number}"):
        return job
    if job.answered_at is None and state == JobState.DECLINED:
        job.answered_at = timezone.now()
    job.state, job.decline_reason = state, decline_reason
    job.save(update_fields=["state", "decline_reason", "answered_at"])
    work_order.placed -= job.quantity
    if was_accepted:
        work_order.accepted -= job.quantity
    work_order.save(update_fields=["placed", "accepted"])
    record(
        f"job.{state}",
        subject=job,
        actor=actor,
        reason=why or decline_reason,
        data={"quantity": job.quantity},
    )
    return job


@transaction.atomic
def report_progress(*, job: Job, made: int, actor: Actor) -> Job:
    """The workshop says how many pieces of the job are made in all (not how many more).

    Saying the same number twice changes nothing.
    """
    _, job = _lock(job)
    if job.state not in JOB_AT_WORKSHOP:
        raise IllegalMove(f"Job {job.number} is {job.get_state_display()}.")
    if not job.delivered <= made <= job.quantity:
        raise Invalid(
            f"Say a number from {job.delivered} to {job.quantity}.", field="made"
        )
    if made == job.made and job.state == JobState.IN_PROGRESS:
        return job
    job.made, job.state = made, JobState.IN_PROGRESS
    job.save(update_fields=["made", "state"])
    record("job.progressed", subject=job, actor=actor, data={"made": made})
    return job


@transaction.atomic
def close_short(*, job: Job, actor: Actor, reason: str) -> Job:
    """Let the undelivered rest of a begun job go; it is to be planned again.

    Raises ``IllegalMove`` when nothing was delivered (withdraw it) or nothing is missing.
    """
    work_order, job = _lock(job)
    missing = job.to_deliver
    if job.state not in JOB_AT_WORKSHOP or not job.delivered or not missing:
        raise IllegalMove(f"Job {job.number} has no undelivered rest to let go.")
    job.quantity -= missing
    job.state = JobState.DELIVERED
    job.save(update_fields=["quantity", "state"])
    work_order.placed -= missing
    work_order.accepted -= missing
    work_order.save(update_fields=["placed", "accepted"])
    record(
        "job.closed_short",
        subject=job,
        actor=actor,
        reason=reason,
        data={"missing": missing},
    )
    _finish_if_graded(job, actor)
    return job


@transaction.atomic
def record_verdict(
    *, job: Job, good: int, scrapped: int, rework: int, actor: Actor
) -> Job:
    """Count graded pieces. Called by the grading room within its own transaction.

    ``good`` pieces cover the work order; ``scrapped`` ones are to be planned again;
    ``rework`` ones stay with the job until they return. When every piece of the job is
    good or scrapped the job is done; when the work order is covered, it is done too.
    """
    work_order, job = _lock(job)
    if job.good + job.scrapped + good + scrapped + rework > job.delivered:
        raise Invalid("More pieces graded than delivered.")
    job.good += good
    job.scrapped += scrapped
    job.save(update_fields=["good", "scrapped"])
    work_order.good += good
    work_order.placed -= scrapped
    work_order.accepted -= scrapped
    if work_order.good >= work_order.quantity:
        work_order.state = WorkOrderState.DONE
        record("work_order.done", subject=work_order, actor=actor)
    work_order.save(update_fields=["good", "placed", "accepted", "state"])
    _finish_if_graded(job, actor)
    refresh_order(order=work_order.line.order, actor=actor)
    return job


def _finish_if_graded(job: Job, actor: Actor) -> None:
    """A job is done when nothing is left to deliver and every piece has its verdict."""
    if job.state != JobState.DELIVERED or job.good + job.scrapped < job.quantity:
        return
    job.state, job.done_at = JobState.DONE, timezone.now()
    job.save(update_fields=["state", "done_at"])
    record("job.done", subject=job, actor=actor)


def _lock_work_order(pk: int) -> WorkOrder:
    rows = WorkOrder.objects.select_for_update(of=("self",))
    return rows.select_related("component", "line__order", "tenant").get(pk=pk)


def _lock(job: Job) -> tuple[WorkOrder, Job]:
    """Lock work order and job, in this order, and read both afresh."""
    work_order = _lock_work_order(job.work_order_id)
    rows = Job.objects.select_for_update(of=("self",)).select_related("workshop")
    fresh = rows.get(pk=job.pk)
    fresh.work_order = work_order
    return work_order, fresh
