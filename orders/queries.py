"""Reads of orders and jobs that more than one place needs."""

from datetime import date, timedelta
from typing import Any

from django.db.models import (
    DateField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce, Greatest, TruncDate

from orders.enums import JOB_AT_WORKSHOP, OrderState, WorkOrderState
from orders.models import Job, Order, PartNeed, StockMove, WorkOrder
from vrp.digits import whole_number

OPEN_STATES = (OrderState.PLACED, OrderState.IN_PRODUCTION, OrderState.READY)
# An order whose parts are not all in this near to its ship-by date is at risk.
RISK_DAYS = 7


def with_progress(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Orders with ``needed`` and ``good`` pieces to be made, all components together."""
    rows = WorkOrder.objects.filter(line__order=OuterRef("pk")).order_by()

    def total(column: str) -> Any:
        sums = rows.values("line__order").annotate(total=Sum(column)).values("total")
        found = Subquery(sums, output_field=IntegerField())
        return Coalesce(found, 0)

    return orders.annotate(needed=total("quantity"), good=total("good"))


def orders_at_risk(today: date) -> QuerySet[Order]:
    """Orders that ship within a week, or should have, and lack parts."""
    making = (OrderState.PLACED, OrderState.IN_PRODUCTION)
    last = today + timedelta(days=RISK_DAYS)
    return Order.objects.filter(state__in=making, ship_by__lte=last)


def unplanned_orders() -> QuerySet[Order]:
    """Orders with work that no workshop was ever asked for."""
    jobs = Job.objects.filter(work_order__line__order=OuterRef("pk"))
    work = WorkOrder.objects.filter(
        line__order=OuterRef("pk"), state=WorkOrderState.OPEN
    )
    placed = Order.objects.filter(state=OrderState.PLACED)
    return placed.filter(Exists(work)).exclude(Exists(jobs))


def late_jobs(today: date) -> QuerySet[Job]:
    """Jobs at a workshop whose due day is over."""
    return Job.objects.filter(state__in=JOB_AT_WORKSHOP, due_on__lt=today)


def slow_jobs(today: date) -> QuerySet[Job]:
    """Jobs that will probably be late: half the time is over, and the share made
    (as reported or delivered) is below the share of time that is over."""
    began = TruncDate("answered_at")
    span = ExpressionWrapper(F("due_on") - began, output_field=DurationField())
    now = Value(today, output_field=DateField())
    gone = ExpressionWrapper(now - began, output_field=DurationField())
    rows = Job.objects.filter(state__in=JOB_AT_WORKSHOP, due_on__gte=today)
    return rows.annotate(
        half_gone=ExpressionWrapper(gone * 2 - span, output_field=DurationField()),
        behind=ExpressionWrapper(
            gone * F("quantity") - span * Greatest("made", "delivered"),
            output_field=DurationField(),
        ),
    ).filter(half_gone__gte=timedelta(0), behind__gt=timedelta(0))


def pace(job: Job, today: date) -> str:
    """late, slow or an empty string: the same rules, for one job that was read."""
    if job.state not in JOB_AT_WORKSHOP or job.answered_at is None:
        return ""
    if job.due_on < today:
        return "late"
    began = job.answered_at.date()
    span, gone = (job.due_on - began).days, (today - began).days
    made = max(job.made, job.delivered)
    behind = gone * job.quantity > span * made
    return "slow" if 2 * gone >= span and behind else ""


def stock_of(components: list[int]) -> dict[int, int]:
    """Pieces in the store by component id; one query."""
    moves = StockMove.objects.filter(component__in=components).order_by()
    sums = dict(moves.values_list("component").annotate(total=Sum("quantity")))
    return {pk: sums.get(pk, 0) for pk in components}


def named(text: str) -> Q:
    """Orders whose PO number, buyer or own number holds these words."""
    words = text.replace("\x00", "").strip()[:60]
    if not words:
        return Q()
    found = (
        Q(po_number__icontains=words)
        | Q(buyer__name__icontains=words)
        | Q(buyer__code__icontains=words)
    )
    number = whole_number(words.lstrip("#"))
    if number is not None:
        found |= Q(number=number)
    return found


def parts_to_buy() -> list[tuple[str, int]]:
    """Bought-in parts that orders wait for: code, and how many pieces are missing."""
    short = PartNeed.objects.filter(reserved__lt=F("quantity")).order_by()
    missing = Sum(F("quantity") - F("reserved"))
    sums = short.values_list("component__code").annotate(missing=missing)
    return sorted(sums, key=lambda row: (-row[1], row[0]))
