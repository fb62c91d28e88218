"""Taking an order in, and exploding it into what has to be made and bought."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from orders.enums import (
    ORDER_MOVES,
    Channel,
    ComponentKind,
    OrderState,
    WorkOrderState,
)
from orders.models import (
    BomLine,
    Buyer,
    Component,
    Order,
    OrderLine,
    PartNeed,
    Product,
    WorkOrder,
)
from orders.services.progress import refresh_order
from orders.services.stock import reserve
from vrp.errors import Conflict, IllegalMove, Invalid
from vrp.events.services import Actor, record
from vrp.moves import check_move
from vrp.tenancy.models import Tenant
from vrp.tenancy.numbers import next_number

MAX_QUANTITY = 1_000_000
MAX_LINES = 200


@dataclass(frozen=True)
class LineInput:
    """One line as the buyer wrote it."""

    sku: str
    quantity: int


@transaction.atomic
def place_order(
    *,
    tenant: Tenant,
    buyer: Buyer,
    po_number: str,
    lines: list[LineInput],
    ship_by: date,
    actor: Actor,
    channel: str = Channel.WHOLESALE,
    ship_to: dict[str, Any] | None = None,
    note: str = "",
) -> Order:
    """Take in a buyer's order: order, lines, work orders and part needs at once.

    Raises ``Invalid`` for a line that cannot be made (with the field's path) and
    ``Conflict`` (code ``duplicate_po``) when the buyer used this PO number before.
    """
    products = _check(tenant, po_number, lines, ship_by, channel)
    order = Order(
        tenant=tenant,
        buyer=buyer,
        number=next_number(tenant, "order"),
        po_number=po_number,
        channel=channel,
        currency=buyer.currency,
        ship_by=ship_by,
        ship_to=ship_to or {},
        note=note,
    )
    _insert(order)
    for number, line_input in enumerate(lines, start=1):
        product = products[line_input.sku]
        line = OrderLine.objects.create(
            tenant=tenant,
            order=order,
            number=number,
            product=product,
            quantity=line_input.quantity,
            unit_price_minor=product.price_minor,
        )
        explode(line)
    record(
        "order.placed",
        subject=order,
        actor=actor,
        data={
            "po_number": po_number,
            "lines": [[row.sku, row.quantity] for row in lines],
        },
    )
    refresh_order(order=order, actor=actor)
    return order


def _insert(order: Order) -> None:
    try:
        with transaction.atomic():
            order.save(force_insert=True)
    except IntegrityError as error:
        first = Order.objects.filter(
            buyer=order.buyer, po_number=order.po_number
        ).first()
        if first is None:
            raise
        raise Conflict(
            f"PO {order.po_number} was already placed as order {first.public_id}.",
            code="duplicate_po",
            field="po_number",
        ) from error


def _check(
    tenant: Tenant, po_number: str, lines: list[LineInput], ship_by: date, channel: str
) -> dict[str, Product]:
    """The products by SKU, or ``Invalid`` for the first thing that is not acceptable."""
    today = timezone.localdate()
    if not po_number.strip():
        raise Invalid("Give your own PO number.", field="po_number")
    if channel not in Channel.values:
        raise Invalid("Unknown channel.", field="channel")
    if ship_by < today:
        raise Invalid("The ship-by date is in the past.", field="ship_by")
    if not 1 <= len(lines) <= MAX_LINES:
        raise Invalid(f"An order has 1 to {MAX_LINES} lines.", field="lines")
    skus = {line.sku for line in lines}
    products = {row.sku: row for row in Product.objects.filter(sku__in=skus)}
    seen: set[str] = set()
    for index, line in enumerate(lines):
        path = f"lines[{index}]"
        product = products.get(line.sku)
        if product is None:
            raise Invalid(f"There is no product {line.sku}.", field=f"{path}.sku")
        if line.sku in seen:
            raise Invalid(
                f"{line.sku} stands on two lines; put it on one.", field=f"{path}.sku"
            )
        seen.add(line.sku)
        if product.retired_on and product.retired_on <= today:
            raise Invalid(f"{line.sku} is retired.", field=f"{path}.sku")
        if not 1 <= line.quantity <= MAX_QUANTITY:
            raise Invalid(
                f"A quantity is 1 to {MAX_QUANTITY:,}.", field=f"{path}.quantity"
            )
        low = tenant.white_label_minimum
        if channel == Channel.WHITE_LABEL and line.quantity < low:
            raise Invalid(
                f"White-label orders start at {low} pieces a line.",
                field=f"{path}.quantity",
            )
    return products


def explode(line: OrderLine) -> None:
    """Turn one line into work orders (made parts) and part needs (bought-in parts).

    Parts due = ship-by date less the tenant's days at headquarters, never before today.
    """
    today = timezone.localdate()
    due_on = line.order.ship_by - timedelta(days=line.tenant.assembly_days)
    needs = explode_product(line.product, line.quantity)
    if not needs:
        raise Invalid(
            f"{line.product.sku} has no bill of materials yet. Complete it in the "
            "back office first.",
            field="lines",
        )
    for component, quantity in needs.items():
        if component.kind == ComponentKind.MADE:
            WorkOrder.objects.create(
                tenant=line.tenant,
                line=line,
                component=component,
                quantity=quantity,
                due_on=max(due_on, today),
            )
        else:
            PartNeed.objects.create(
                tenant=line.tenant, line=line, component=component, quantity=quantity
            )
            reserve(component=component)


def explode_product(product: Product, quantity: int) -> dict[Component, int]:
    """Made and bought parts that ``quantity`` of the product needs, all levels down.

    Raises ``Invalid`` when a bill of materials contains itself.
    """
    children: dict[int, list[BomLine]] = defaultdict(list)
    for row in BomLine.objects.filter(parent__isnull=False).select_related("component"):
        children[row.parent_id or 0].append(row)
    needs: dict[Component, int] = defaultdict(int)

    def descend(component: Component, count: int, path: tuple[int, ...]) -> None:
        if component.pk in path:
            raise Invalid(f"The bill of materials of {component.code} contains itself.")
        if component.kind != ComponentKind.ASSEMBLED:
            needs[component] += count
            return
        for row in children[component.pk]:
            descend(row.component, count * row.quantity, (*path, component.pk))

    for row in BomLine.objects.filter(product=product).select_related("component"):
        descend(row.component, quantity * row.quantity, ())
    return dict(sorted(needs.items(), key=lambda pair: pair[0].code))


@transaction.atomic
def cancel_order(*, order: Order, actor: Actor, reason: str) -> Order:
    """Cancel an order on which no workshop is working yet; frees its reserved parts.

    Raises ``IllegalMove`` once a workshop has accepted work: that is settled by a person.
    """
    # Locks in the order that answers, gradings and stock use: work orders, parts, order.
    work_orders = list(
        WorkOrder.objects.select_for_update(of=("self",))
        .filter(line__order=order)
        .order_by("pk")
    )
    needs = PartNeed.objects.filter(line__order=order)
    components = list(
        Component.objects.select_for_update(of=("self",))
        .filter(pk__in=needs.values("component"))
        .order_by("pk")
    )
    order = Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
    if not check_move(ORDER_MOVES, order.state, OrderState.CANCELLED, "The order"):
        return order
    if any(row.placed for row in work_orders):
        raise IllegalMove(
            "Workshops hold offers or jobs of this order; withdraw those first."
        )
    WorkOrder.objects.filter(line__order=order).update(state=WorkOrderState.CANCELLED)
    needs.delete()
    order.state = OrderState.CANCELLED
    order.save(update_fields=["state"])
    for component in components:
        reserve(component=component)
    record("order.cancelled", subject=order, actor=actor, reason=reason)
    return order
