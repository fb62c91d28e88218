"""What a buyer sees of an order: no artisan, no other buyer, nothing half known."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    Count,
    F,
    Max,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from orders.enums import JOB_OPEN, OrderState, WorkOrderState
from orders.models import (
    Buyer,
    Order,
    OrderLine,
    PartNeed,
    Product,
    Shipment,
    WorkOrder,
)
from vrp.events.models import Event

# What a buyer may know happened. Job and workshop events never leave the house.
ORDER_EVENTS = (
    "order.placed",
    "order.in_production",
    "order.ready",
    "order.shipped",
    "order.cancelled",
)
LINE_EVENTS = ("line.parts_in", "line.parts_missing", "line.advanced")


@dataclass(frozen=True)
class Happened:
    """One line of an order's timeline. ``line`` is the number of the order line."""

    event: str
    at: datetime
    line: int | None
    stage: str | None


def _lines_sum(expression: Any) -> Subquery:
    lines = OrderLine.objects.filter(order=OuterRef("pk")).order_by().values("order")
    return Subquery(
        lines.annotate(found=expression).values("found"),
        output_field=BigIntegerField(),
    )


def orders_of(buyer: Buyer) -> QuerySet[Order]:
    """The buyer's orders with ``total_minor``, ``line_count`` and ``updated_at`` (when
    the order's own state last changed), newest first."""
    # 1,000,000 pieces at 3,000.00 do not fit 32 bits.
    amount = Cast(F("quantity"), BigIntegerField()) * F("unit_price_minor")
    last = Event.objects.filter(
        subject_type="order", subject_id=OuterRef("pk"), name__in=ORDER_EVENTS
    ).order_by("-id")
    return (
        Order.objects.filter(buyer=buyer)
        .annotate(
            total_minor=Coalesce(_lines_sum(Sum(amount)), 0),
            line_count=Coalesce(_lines_sum(Count("pk")), 0),
            updated_at=Coalesce(Subquery(last.values("at")[:1]), F("placed_at")),
        )
        .order_by("-placed_at", "-id")
    )


def changed_since(moment: datetime) -> Q:
    """Orders whose ``updated_at`` is that moment or later.

    Asked of the events since then, which an index finds; comparing ``updated_at`` itself
    would work it out for every order there ever was.
    """
    changed = Event.objects.filter(
        subject_type="order", name__in=ORDER_EVENTS, at__gte=moment
    )
    return Q(pk__in=changed.values("subject_id")) | Q(placed_at__gte=moment)


def order_in_full(buyer: Buyer, public_id: Any) -> Order | None:
    """One order with everything its page shows, in a fixed number of queries."""
    work_orders = WorkOrder.objects.select_related("component").annotate(
        last_job_due_on=Max("jobs__due_on", filter=Q(jobs__state__in=JOB_OPEN))
    )
    needs = PartNeed.objects.select_related("component").order_by("component__code")
    lines = OrderLine.objects.select_related("product").prefetch_related(
        Prefetch("work_orders", work_orders), Prefetch("part_needs", needs)
    )
    shipments = Shipment.objects.order_by("pk")
    return (
        orders_of(buyer)
        .select_related("tenant")
        .prefetch_related(Prefetch("lines", lines), Prefetch("shipments", shipments))
        .filter(public_id=public_id)
        .first()
    )


def covered(line: OrderLine, count: str) -> int:
    """Finished units for which every made part is counted in ``accepted`` or ``good``.

    2 hooks a unit and 50 hooks accepted are 25 units; the scarcest part decides. A line
    without made parts is covered from the start.
    """
    units = [
        getattr(work, count) * line.quantity // work.quantity
        for work in line.work_orders.all()
    ]
    return min(units, default=line.quantity)


def promised_on(order: Order) -> date | None:
    """The day the order should leave headquarters; None for a cancelled one.

    Never before the ship-by date. Later, if unfinished work is due so late (or is late
    already) that the brand's days for assembly go past it. Parts that are yet to be
    bought are not in it: they are named under ``shortages``.
    """
    if order.state == OrderState.CANCELLED:
        return None
    if order.shipped_at:
        return timezone.localdate(order.shipped_at)
    today = timezone.localdate()
    due = [
        _latest(work.due_on, work.last_job_due_on, today)  # type: ignore[attr-defined]
        for line in order.lines.all()
        for work in line.work_orders.all()
        if work.state == WorkOrderState.OPEN
    ]
    if not due:
        return max(order.ship_by, today)
    days = timedelta(days=order.tenant.assembly_days)
    return max(order.ship_by, max(due) + days)


def _latest(*days: date | None) -> date:
    return max(day for day in days if day)


def timeline(order: Order) -> list[Happened]:
    """What happened to the order and its lines, oldest first."""
    numbers = {line.pk: line.number for line in order.lines.all()}
    own = Q(subject_type="order", subject_id=order.pk, name__in=ORDER_EVENTS)
    lines = Q(
        subject_type="orderline", subject_id__in=list(numbers), name__in=LINE_EVENTS
    )
    return [
        Happened(
            event.name,
            event.at,
            numbers[event.subject_id] if event.subject_type == "orderline" else None,
            event.data.get("stage") if event.name == "line.advanced" else None,
        )
        for event in Event.objects.filter(own | lines).order_by("id")
    ]


def catalogue(*, retired: bool) -> QuerySet[Product]:
    """The tenant's products by SKU; retired ones only if asked for."""
    products = Product.objects.order_by("sku", "id")
    if retired:
        return products
    today = timezone.localdate()
    return products.filter(Q(retired_on__isnull=True) | Q(retired_on__gt=today))
