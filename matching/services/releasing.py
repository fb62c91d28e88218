"""Turning a reviewed plan into offers, or putting it away."""

from collections import defaultdict

from django.db import transaction
from django.utils import timezone

from matching.enums import PLAN_MOVES, PlanState
from matching.models import Plan, Proposal
from matching.services.locking import lock_plan, lock_work_orders
from orders.enums import JOB_OPEN, WorkOrderState
from orders.models import Job, WorkOrder
from orders.services.jobs import offer_job
from vrp.errors import Conflict, IllegalMove
from vrp.events.services import Actor, record
from vrp.moves import check_move


@transaction.atomic
def discard_plan(*, plan: Plan, actor: Actor) -> Plan:
    """Put a plan away; nothing is offered. Discarding again is a no-op."""
    plan = lock_plan(plan)
    if not check_move(PLAN_MOVES, plan.state, PlanState.DISCARDED, str(plan)):
        return plan
    plan.state, plan.leased_until = PlanState.DISCARDED, None
    plan.save(update_fields=["state", "leased_until"])
    record("plan.discarded", subject=plan, actor=actor, data={"number": plan.number})
    return plan


@transaction.atomic
def release_plan(*, plan: Plan, actor: Actor) -> list[Job]:
    """Offer every proposed job; all of them or none. Releasing again offers nothing new.

    Raises ``Conflict`` (code ``plan_outdated``), naming each change, when since the plan
    was computed work was placed elsewhere or a workshop left or took other work of the
    same work order; ``IllegalMove`` when there is nothing to release.
    """
    plan = lock_plan(plan)
    if plan.state == PlanState.RELEASED:
        return list(Job.objects.filter(proposal__plan=plan).order_by("number"))
    check_move(PLAN_MOVES, plan.state, PlanState.RELEASED, str(plan))
    proposals = list(
        plan.proposals.select_related("workshop").order_by(
            "work_order_id", "-quantity", "pk"
        )
    )
    if not proposals:
        raise IllegalMove("The plan proposes no job. Discard it and plan again.")
    work_orders = lock_work_orders({one.work_order_id for one in proposals})
    changes = _changes_since(proposals, work_orders)
    if changes:
        raise Conflict(
            "Since this plan was made: " + " ".join(changes) + " Plan again.",
            code="plan_outdated",
        )
    jobs = []
    due_of = dict(plan.rows.values_list("work_order_id", "due_on"))
    for one in proposals:
        work_order = work_orders[one.work_order_id]
        one.job = offer_job(
            work_order=work_order,
            workshop=one.workshop,
            quantity=one.quantity,
            actor=actor,
            due_on=due_of[one.work_order_id],
            override_reason=one.override_reason or _lot_reason(plan, one.quantity),
        )
        jobs.append(one.job)
    Proposal.objects.bulk_update(proposals, ["job"])
    plan.state, plan.released_at = PlanState.RELEASED, timezone.now()
    plan.released_by = actor.label[:120]
    plan.save(update_fields=["state", "released_at", "released_by"])
    record(
        "plan.released",
        subject=plan,
        actor=actor,
        data={"number": plan.number, "jobs": [job.number for job in jobs]},
    )
    return jobs


def _lot_reason(plan: Plan, quantity: int) -> str:
    """A plan made with a smaller lot than the tenant's is itself the reason."""
    if quantity >= plan.tenant.min_lot:
        return ""
    return f"Plan {plan.number} was made with lots from {plan.min_lot} pieces."


def _changes_since(
    proposals: list[Proposal], work_orders: dict[int, WorkOrder]
) -> list[str]:
    """What stands against releasing these proposals now, one sentence each."""
    changes = []
    wanted: dict[int, int] = defaultdict(int)
    for one in proposals:
        wanted[one.work_order_id] += one.quantity
    for pk, quantity in wanted.items():
        row = work_orders[pk]
        left = row.open_quantity if row.state == WorkOrderState.OPEN else 0
        if quantity > left:
            changes.append(
                f"{row.component.code}: {quantity:,} pieces are proposed but only "
                f"{max(left, 0):,} are still open."
            )
    holders = set(
        Job.objects.filter(work_order__in=work_orders, state__in=JOB_OPEN).values_list(
            "work_order_id", "workshop_id"
        )
    )
    today = timezone.localdate()
    for one in proposals:
        code = work_orders[one.work_order_id].component.code
        if (one.work_order_id, one.workshop_id) in holders:
            changes.append(f"{one.workshop.code} already holds a job of {code}.")
        if one.workshop.left_on and one.workshop.left_on <= today:
            changes.append(f"{one.workshop.code} has left the network.")
    return changes
