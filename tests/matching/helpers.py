"""Builders of this room's tests."""

from datetime import datetime, timedelta

from django.utils import timezone

from artisans.models import Workshop
from matching.models import JobRecord, Plan
from matching.services import OUTBOX, request_plan
from orders.models import Order, WorkOrder
from tests.builders import SYSTEM, Network
from vrp.events import outbox


def write_history(
    network: Network,
    workshop: Workshop,
    jobs: int,
    *,
    good: int = 50,
    bad: int = 0,
    late_days: float = -1,
    answer: str = "accepted",
    since: datetime | None = None,
    days_ago: int = 100,
    **columns: object,
) -> list[JobRecord]:
    """``jobs`` imported records of ``good`` + ``bad`` pieces, delivered at due + days.

    The last was offered ``days_ago``, each other a week before the next.
    """
    now = since or timezone.now()
    first = JobRecord.objects.count()
    rows = []
    for number in range(jobs):
        offered = now - timedelta(days=days_ago + 7 * number)
        due = offered + timedelta(days=14)
        taken = answer in ("accepted", "part", "")
        values = {
            "quantity": good + bad,
            "answered_at": None if answer == "silent" else offered + timedelta(hours=2),
            "delivered_at": due + timedelta(days=late_days) if taken else None,
            "units_aa": 0 if taken else None,
            "units_a": good if taken else None,
            "units_rework": bad if taken else None,
        }
        rows.append(
            JobRecord(
                tenant=network.tenant,
                job=f"old:{first + number}",
                workshop=workshop,
                component=network.pendant,
                offered_at=offered,
                due_at=due,
                answer=answer,
                **(values | columns),
            )
        )
    return JobRecord.objects.bulk_create(rows)


def pendants(order: Order) -> WorkOrder:
    """The order's work order for horn pendants."""
    return WorkOrder.objects.get(line__order=order, component__code="HP-01")


def made_plan(*work_orders: WorkOrder, **rules: object) -> Plan:
    """A plan computed as a worker would: claimed from the outbox and delivered."""
    plan = request_plan(
        tenant=work_orders[0].tenant,
        work_orders=list(work_orders),
        actor=SYSTEM,
        **rules,
    )
    assert outbox.run(OUTBOX, plan.pk)
    plan.refresh_from_db()
    return plan
