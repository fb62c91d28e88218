"""Locks of this room, always in the order plan, then work orders by id."""

from matching.models import Plan
from orders.models import WorkOrder


def lock_plan(plan: Plan) -> Plan:
    """The plan, locked and read afresh."""
    rows = Plan.objects.select_for_update(of=("self",)).select_related("tenant")
    return rows.get(pk=plan.pk)


def lock_work_orders(wanted: set[int]) -> dict[int, WorkOrder]:
    """Work orders by id, locked and read afresh."""
    rows = WorkOrder.objects.select_for_update(of=("self",)).select_related("component")
    return {row.pk: row for row in rows.filter(pk__in=wanted).order_by("pk")}
