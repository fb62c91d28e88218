"""How far an order is, derived from what happened to its parts.

Nobody sets an order to *in production* or *ready*: these follow from work orders and
part needs, here, whenever one of them changes.
"""

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from orders.enums import (
    LINE_MOVES,
    ORDER_MOVES,
    LineStage,
    OrderState,
    WorkOrderState,
)
from orders.models import Order, OrderLine, PartNeed, WorkOrder
from vrp.events.services import Actor, record
from vrp.moves import check_move


@transaction.atomic
def refresh_order(*, order: Order, actor: Actor) -> Order:
    """Bring the stages of the order's lines and its state up to date.

    Events: ``line.parts_in``, ``line.parts_missing``, ``order.in_production``,
    ``order.ready``. Running it twice changes nothing.
    """
    order = Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
    if order.state in (OrderState.SHIPPED, OrderState.CANCELLED):
        return order
    lines = list(_lines(order))
    for line in lines:
        _refresh_line(line, actor)
    ready = all(line.stage != LineStage.WAITING for line in lines)
    begun = WorkOrder.objects.filter(line__order=order, placed__gt=0).exists()
    if ready:
        _move(order, OrderState.READY, actor)
    elif begun or order.state == OrderState.READY:
        _move(order, OrderState.IN_PRODUCTION, actor)
    return order


def _lines(order: Order):  # type: ignore[no-untyped-def]
    """The lines with whether a made or a bought-in part is still missing."""
    made = WorkOrder.objects.filter(line=OuterRef("pk")).exclude(
        state=WorkOrderState.DONE
    )
    bought = PartNeed.objects.filter(line=OuterRef("pk"), reserved__lt=F("quantity"))
    return (
        OrderLine.objects.select_for_update(of=("self",))
        .filter(order=order)
        .annotate(lacks_made=Exists(made), lacks_bought=Exists(bought))
        .order_by("number")
    )


def _refresh_line(line: OrderLine, actor: Actor) -> None:
    if line.stage not in (LineStage.WAITING, LineStage.PARTS_IN):
        return
    missing = line.lacks_made or line.lacks_bought  # type: ignore[attr-defined]
    stage = LineStage.WAITING if missing else LineStage.PARTS_IN
    if not check_move(LINE_MOVES, line.stage, stage, "The line"):
        return
    line.stage = stage
    line.save(update_fields=["stage"])
    name = "line.parts_missing" if missing else "line.parts_in"
    record(name, subject=line, actor=actor, data={"order": line.order_id})


def _move(order: Order, state: OrderState, actor: Actor) -> None:
    if not check_move(ORDER_MOVES, order.state, state, "The order"):
        return
    order.state = state
    order.save(update_fields=["state"])
    record(f"order.{state}", subject=order, actor=actor)
