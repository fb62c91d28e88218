"""At headquarters: assemble, finish, pack, ship."""

from django.db import transaction
from django.utils import timezone

from orders.enums import LINE_MOVES, ORDER_MOVES, LineStage, OrderState
from orders.models import Order, OrderLine, Shipment
from orders.services.stock import consume
from vrp.errors import IllegalMove, Invalid
from vrp.events.services import Actor, record
from vrp.moves import check_move
from vrp.tenancy.numbers import next_number

# What a person does; the other stages follow from parts coming in and from shipping.
BY_HAND = (LineStage.ASSEMBLED, LineStage.FINISHED, LineStage.PACKED)


@transaction.atomic
def advance_line(*, line: OrderLine, stage: str, actor: Actor) -> OrderLine:
    """Move a line one step on; assembling takes its bought-in parts out of the store."""
    if stage not in BY_HAND:
        raise Invalid("A line is assembled, finished or packed by hand.", field="stage")
    Order.objects.select_for_update(of=("self",)).get(pk=line.order_id)
    line = (
        OrderLine.objects.select_for_update(of=("self",))
        .select_related("order", "tenant")
        .get(pk=line.pk)
    )
    if not check_move(LINE_MOVES, line.stage, stage, "The line"):
        return line
    if stage == LineStage.ASSEMBLED:
        consume(line=line)
    line.stage = stage
    line.save(update_fields=["stage"])
    record(
        "line.advanced",
        subject=line,
        actor=actor,
        data={"order": line.order_id, "stage": stage},
    )
    return line


@transaction.atomic
def ship_order(
    *, order: Order, carrier: str, tracking: str, cartons: int, actor: Actor
) -> Shipment:
    """Ship an order whose lines are all packed; shipping again returns the first."""
    order = Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
    if order.state == OrderState.SHIPPED:
        return order.shipments.get()
    if not carrier.strip():
        raise Invalid("Name the carrier.", field="carrier")
    if not 1 <= cartons <= 10_000:
        raise Invalid("Say how many cartons, from 1 on.", field="cartons")
    waiting = order.lines.exclude(stage=LineStage.PACKED).count()
    if waiting:
        raise IllegalMove(f"{waiting} lines are not packed yet.")
    check_move(ORDER_MOVES, order.state, OrderState.SHIPPED, "The order")
    order.state, order.shipped_at = OrderState.SHIPPED, timezone.now()
    order.save(update_fields=["state", "shipped_at"])
    order.lines.update(stage=LineStage.SHIPPED)
    shipment = Shipment.objects.create(
        tenant=order.tenant,
        number=next_number(order.tenant, "shipment"),
        order=order,
        carrier=carrier,
        tracking=tracking,
        cartons=cartons,
        shipped_at=order.shipped_at,
    )
    record(
        "order.shipped",
        subject=order,
        actor=actor,
        data={"carrier": carrier, "tracking": tracking, "cartons": cartons},
    )
    return shipment
