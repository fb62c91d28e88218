"""Computing a plan in a worker, and what happens when the worker is lost."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from matching.enums import PlanState
from matching.models import PassedOver, Plan, PlanWorkOrder, Proposal
from matching.planning import Result, compute
from matching.scores import VERSION
from matching.services.locking import lock_plan
from vrp.events.outbox import enqueue
from vrp.events.services import Actor, record
from vrp.haste import hasten

OUTBOX = "plan"
# A worker that was lost is replaced this many times; then the plan has failed.
ATTEMPTS = 3
LEASE = hasten(timedelta(minutes=3), at_least=timedelta(seconds=20))


class _TakenAwayError(Exception):
    """The plan was discarded, or another worker has it."""


def run_plan(*, plan: Plan) -> None:
    """Compute a claimed plan and keep the result: called by the outbox only.

    Progress is written as it goes, and lengthens the lease. The result is written in one
    transaction, and only if this worker still holds the plan; whoever lost it (it took
    too long, or the planner discarded the plan) changes nothing. An error makes the plan
    *failed*, with the reason shown.
    """
    attempt = plan.attempts
    mine = Plan.objects.filter(pk=plan.pk, state=PlanState.RUNNING, attempts=attempt)

    def progress(per_cent: int, step: str) -> None:
        until = timezone.now() + LEASE
        if not mine.update(progress=per_cent, step=step, leased_until=until):
            raise _TakenAwayError

    try:
        result = compute(plan, progress)
        _keep_result(plan, attempt, result)
    except _TakenAwayError:
        return
    except Exception as error:
        _fail(plan, attempt, f"{type(error).__name__}: {error}")
        raise


@transaction.atomic
def _keep_result(plan: Plan, attempt: int, result: Result) -> None:
    plan = lock_plan(plan)
    if plan.state != PlanState.RUNNING or plan.attempts != attempt:
        return
    plan.proposals.all().delete()
    plan.passed_over.all().delete()
    planned = {row.pk for row in result.rows}
    plan.rows.exclude(pk__in=planned).update(quantity=0, short=0)
    PlanWorkOrder.objects.bulk_update(
        result.rows, ["quantity", "short", "why_short", "due_on", "eligible"]
    )
    Proposal.objects.bulk_create(result.proposals, batch_size=500)
    PassedOver.objects.bulk_create(result.passed_over, batch_size=2_000)
    plan.state, plan.finished_at = PlanState.READY, timezone.now()
    plan.progress, plan.step, plan.solver = 100, "Ready for review", result.solver
    plan.score_version, plan.leased_until, plan.last_error = VERSION, None, ""
    plan.save()
    record(
        "plan.ready",
        subject=plan,
        actor=Actor.system("matcher"),
        data={
            "number": plan.number,
            "jobs": len(result.proposals),
            "short": sum(row.short for row in result.rows),
        },
    )


@transaction.atomic
def _fail(plan: Plan, attempt: int, error: str) -> None:
    plan = lock_plan(plan)
    if plan.state != PlanState.RUNNING or plan.attempts != attempt:
        return
    give_up(plan=plan, error=error)


def give_up(*, plan: Plan, error: str) -> None:
    """Mark a locked running plan as failed. Inside the caller's transaction."""
    plan.state, plan.finished_at = PlanState.FAILED, timezone.now()
    plan.step, plan.last_error, plan.leased_until = "Failed", error[:2_000], None
    plan.save(
        update_fields=["state", "finished_at", "step", "last_error", "leased_until"]
    )
    record(
        "plan.failed",
        subject=plan,
        actor=Actor.system("matcher"),
        data={"number": plan.number},
    )


def requeue(*, plan: Plan) -> None:
    """The worker of a running plan was lost: wait for another, or give up.

    The row is locked by the caller (the outbox's sweep).
    """
    if plan.attempts >= ATTEMPTS:
        give_up(plan=plan, error=f"The worker was lost {plan.attempts} times.")
        return
    plan.state, plan.due_at, plan.leased_until = (
        PlanState.QUEUED,
        timezone.now(),
        None,
    )
    plan.progress, plan.step = 0, "Waiting for another worker"
    plan.save(update_fields=["state", "due_at", "leased_until", "progress", "step"])
    enqueue(OUTBOX, plan)
