"""Asking for a plan."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from matching.enums import PlanState
from matching.models import Plan, PlanWorkOrder
from matching.services.running import OUTBOX
from orders.enums import WorkOrderState
from orders.models import WorkOrder
from vrp.accounts.models import User
from vrp.errors import IllegalMove, Invalid
from vrp.events.outbox import enqueue
from vrp.events.services import Actor, record
from vrp.tenancy.models import Tenant
from vrp.tenancy.numbers import next_number

MAX_LOT = 1_000_000
MAX_WORK_ORDERS = 500
MAX_SEED = 2**31 - 1


@transaction.atomic
def request_plan(
    *,
    tenant: Tenant,
    work_orders: Sequence[WorkOrder],
    actor: Actor,
    made_by: User | None = None,
    min_lot: int | None = None,
    max_lot: int | None = None,
    fairness: Decimal | float | None = None,
    seed: int = 1,
    due_on: date | None = None,
) -> Plan:
    """Ask for a plan of what is open on these work orders; a worker computes it.

    Lot rules (pieces) and fairness (0..1) default to the tenant's. ``due_on`` replaces
    the work orders' own due days, for work that is late already. The same question while
    its plan is still being computed returns that plan. Raises ``Invalid`` for rules that
    make no sense and ``IllegalMove`` when nothing is open.
    """
    low = tenant.min_lot if min_lot is None else min_lot
    high = max(tenant.max_lot, low) if max_lot is None else max_lot
    weight = _check_rules(
        low, high, tenant.fairness if fairness is None else fairness, seed, due_on
    )
    rows = _lock_open({one.pk for one in work_orders})
    same = _same_question(rows, low, high, weight, seed, due_on)
    if same:
        return same
    plan = Plan.objects.create(
        tenant=tenant,
        number=next_number(tenant, "plan"),
        min_lot=low,
        max_lot=high,
        fairness=weight,
        seed=seed,
        due_on=due_on,
        made_by=made_by,
        step="Waiting for a worker",
    )
    PlanWorkOrder.objects.bulk_create(
        PlanWorkOrder(
            tenant=tenant,
            plan=plan,
            work_order=row,
            quantity=row.open_quantity,
            due_on=due_on or row.due_on,
        )
        for row in rows
    )
    record(
        "plan.requested",
        subject=plan,
        actor=actor,
        data={
            "number": plan.number,
            "work_orders": [row.pk for row in rows],
            "min_lot": low,
            "max_lot": high,
            "fairness": str(weight),
            "seed": seed,
        },
    )
    enqueue(OUTBOX, plan)
    return plan


def _check_rules(
    low: int,
    high: int,
    fairness: Decimal | float,
    seed: int,
    due_on: date | None,
) -> Decimal:
    if not 1 <= low <= MAX_LOT:
        raise Invalid(f"The smallest lot is 1 to {MAX_LOT:,}.", field="min_lot")
    if not low <= high <= MAX_LOT:
        raise Invalid(
            f"The largest lot is {low:,} (the smallest) to {MAX_LOT:,}.",
            field="max_lot",
        )
    weight = Decimal(str(fairness))
    if not weight.is_finite() or not 0 <= weight <= 1:
        raise Invalid("Fairness is a number from 0 to 1.", field="fairness")
    if not 0 <= seed <= MAX_SEED:
        raise Invalid("The seed is a whole number from 0.", field="seed")
    if due_on is not None and due_on <= timezone.localdate():
        raise Invalid("Choose a day after today.", field="due_on")
    return weight.quantize(Decimal("0.01"))


def _lock_open(wanted: set[int]) -> list[WorkOrder]:
    """The work orders that still have open pieces, locked in one order."""
    if len(wanted) > MAX_WORK_ORDERS:
        raise Invalid(
            f"A plan has at most {MAX_WORK_ORDERS} work orders.", field="work_orders"
        )
    rows = (
        WorkOrder.objects.select_for_update(of=("self",))
        .filter(pk__in=wanted)
        .order_by("pk")
    )
    found = [
        row
        for row in rows
        if row.state == WorkOrderState.OPEN and row.open_quantity > 0
    ]
    if not found:
        raise IllegalMove("Nothing is open: every piece is placed already.")
    return found


def _same_question(
    rows: list[WorkOrder],
    low: int,
    high: int,
    fairness: Decimal,
    seed: int,
    due_on: date | None,
) -> Plan | None:
    """A plan with the same question that nobody has seen the answer of yet."""
    asked = Plan.objects.filter(
        state__in=(PlanState.QUEUED, PlanState.RUNNING),
        min_lot=low,
        max_lot=high,
        fairness=fairness,
        seed=seed,
        due_on=due_on,
        rows__work_order=rows[0],
    ).prefetch_related("rows")
    wanted = {row.pk for row in rows}
    for plan in asked:
        if {one.work_order_id for one in plan.rows.all()} == wanted:
            return plan
    return None
