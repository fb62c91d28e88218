"""A planner changes what a plan proposes, before it is released."""

from django.db import transaction
from django.db.models import Sum

from artisans.models import Workshop
from matching.enums import HARD_OBSTACLES, Obstacle, PlanState
from matching.models import PassedOver, Plan, PlanWorkOrder, Proposal
from matching.queries import workshop_scores
from matching.services.locking import lock_plan, lock_work_orders
from orders.models import WorkOrder
from vrp.accounts.models import User
from vrp.errors import IllegalMove, Invalid
from vrp.events.services import Actor, record

MAX_REASON = 200
# What the solver had proven no longer holds.
CHANGED = "Changed by a planner after it was computed."


@transaction.atomic
def edit_proposal(
    *,
    plan: Plan,
    work_order: WorkOrder,
    workshop: Workshop,
    quantity: int,
    actor: Actor,
    user: User,
    override_reason: str = "",
) -> Proposal | None:
    """Set how many pieces of a work order a ready plan proposes to a workshop.

    0 takes the workshop out; a workshop that was passed over can be brought in unless
    it cannot do the work at all. A lot below the plan's smallest needs
    ``override_reason``. More than the workshop has free, or more than the largest lot,
    is allowed with a warning on the proposal. The same values again change nothing.

    Raises ``IllegalMove`` for a plan that is not ready for review; ``Invalid`` for a
    quantity above what is open, below the smallest lot without a reason, or a workshop
    that cannot make it.
    """
    plan = lock_plan(plan)
    if plan.state != PlanState.READY:
        raise IllegalMove(f"{plan} is {plan.get_state_display()}; it cannot be edited.")
    row = plan.rows.filter(work_order=work_order).first()
    if row is None:
        raise Invalid("This work order is not part of the plan.", field="work_order")
    work_order = lock_work_orders({work_order.pk})[work_order.pk]
    found = plan.proposals.filter(work_order=work_order, workshop=workshop).first()
    reason = override_reason.strip()[:MAX_REASON]
    before = found.quantity if found else 0
    if quantity == before and (not found or reason in ("", found.override_reason)):
        return found
    if quantity < 0:
        raise Invalid("A quantity cannot be below zero.", field="quantity")
    if quantity == 0:
        _take_out(plan, found, user)
        found = None
    else:
        _check_quantity(plan, work_order, workshop, quantity, reason, found)
        found = found or _bring_in(plan, work_order, workshop)
        _change(plan, found, quantity, reason, user)
    _recount(plan, row)
    record(
        "plan.edited",
        subject=plan,
        actor=actor,
        reason=reason,
        data={
            "number": plan.number,
            "work_order": work_order.pk,
            "workshop": workshop.code,
            "from": before,
            "to": quantity,
        },
    )
    return found


def _check_quantity(
    plan: Plan,
    work_order: WorkOrder,
    workshop: Workshop,
    quantity: int,
    reason: str,
    found: Proposal | None,
) -> None:
    others = plan.proposals.filter(work_order=work_order).exclude(workshop=workshop)
    taken = others.aggregate(pieces=Sum("quantity"))["pieces"] or 0
    left = max(work_order.open_quantity - taken, 0)
    if quantity > left:
        raise Invalid(
            f"{workshop.code}: {quantity:,} pieces are too many. "
            f"{work_order.open_quantity:,} are open and {taken:,} of them are proposed "
            f"to others, so at most {left:,}.",
            field="quantity",
        )
    kept = found.override_reason if found and found.quantity == quantity else ""
    if quantity < plan.min_lot and not (reason or kept):
        raise Invalid(
            f"{workshop.code}: {quantity:,} pieces are below the smallest lot of "
            f"{plan.min_lot:,}. Give a reason to go on.",
            field="override_reason",
        )


def _take_out(plan: Plan, found: Proposal | None, user: User) -> None:
    if found is None:
        return
    PassedOver.objects.create(
        tenant=plan.tenant,
        plan=plan,
        work_order_id=found.work_order_id,
        workshop_id=found.workshop_id,
        obstacle=Obstacle.EDITED,
        detail=f"Taken out by {user}; {found.quantity:,} pieces had been proposed."[
            :200
        ],
        score=found.score,
        free=found.free,
    )
    found.delete()


def _bring_in(plan: Plan, work_order: WorkOrder, workshop: Workshop) -> Proposal:
    """A new proposal for a workshop that was passed over; not saved yet."""
    passed = plan.passed_over.filter(work_order=work_order, workshop=workshop).first()
    if passed is None:
        raise Invalid(
            f"{workshop.code} was not looked at in this plan. Plan again.",
            field="workshop",
        )
    obstacle = Obstacle(passed.obstacle)
    if obstacle in HARD_OBSTACLES:
        raise Invalid(
            f"{workshop.code} cannot make it: {passed.detail or obstacle.label}",
            field="workshop",
        )
    score = workshop_scores([workshop])[workshop.pk]
    passed.delete()
    reasons = ["Brought in by a planner."]
    if passed.detail:
        reasons.append(f"The plan had passed it over: {passed.detail}")
    return Proposal(
        tenant=plan.tenant,
        plan=plan,
        work_order=work_order,
        workshop=workshop,
        score=score.value,
        dimensions={
            name.value: value.as_json() for name, value in score.dimensions.items()
        },
        reasons=reasons,
        free=passed.free,
    )


def _change(
    plan: Plan, found: Proposal, quantity: int, reason: str, user: User
) -> None:
    if quantity != found.quantity or reason:
        found.override_reason = reason
    found.quantity, found.edited_by = quantity, user
    warnings = []
    if quantity > found.free:
        warnings.append(
            f"Above what it has free: {quantity:,} of {found.free:,} pieces."
        )
    if quantity > plan.max_lot:
        warnings.append(f"Above the largest lot of {plan.max_lot:,}.")
    found.warning = " ".join(warnings)[:200]
    found.save()


def _recount(plan: Plan, row: PlanWorkOrder) -> None:
    """What stays short after the change."""
    placed = plan.proposals.filter(work_order=row.work_order_id)
    pieces = placed.aggregate(pieces=Sum("quantity"))["pieces"] or 0
    row.short = max(row.quantity - pieces, 0)
    if row.short and not row.why_short:
        row.why_short = "A planner changed what the plan proposed."
    elif not row.short:
        row.why_short = ""
    row.save(update_fields=["short", "why_short"])
    if plan.solver != CHANGED:
        plan.solver = CHANGED
        plan.save(update_fields=["solver"])


@transaction.atomic
def edit_work_order(
    *,
    plan: Plan,
    work_order: WorkOrder,
    quantities: dict[Workshop, int],
    actor: Actor,
    user: User,
    override_reason: str = "",
) -> int:
    """Set several workshops' quantities of one work order at once; all or none.

    What is taken away goes first, so that pieces can move from one to another. Returns
    how many workshops changed. Raises like ``edit_proposal``.
    """
    plan = lock_plan(plan)
    rows = plan.proposals.filter(work_order=work_order)
    before = dict(rows.values_list("workshop_id", "quantity"))
    changes = {
        workshop: quantity
        for workshop, quantity in quantities.items()
        if quantity != before.get(workshop.pk, 0)
    }
    for workshop, quantity in sorted(
        changes.items(), key=lambda pair: pair[1] - before.get(pair[0].pk, 0)
    ):
        edit_proposal(
            plan=plan,
            work_order=work_order,
            workshop=workshop,
            quantity=quantity,
            actor=actor,
            user=user,
            override_reason=override_reason,
        )
    return len(changes)
