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
# What fits the database's integer columns.
MAX_PARTS = 2_000_000_000


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
    products = _check(buyer, po_number, lines, ship_by, channel)
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
    rows = OrderLine.objects.bulk_create(
        OrderLine(
            tenant=tenant,
            order=order,
            number=number,
            product=products[line.sku],
            quantity=line.quantity,
            unit_price_minor=products[line.sku].price_minor,
        )
        for number, line in enumerate(lines, start=1)
    )
    explode(order, rows)
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
    buyer: Buyer, po_number: str, lines: list[LineInput], ship_by: date, channel: str
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
        if product.currency != buyer.currency:
            raise Invalid(
                f"{line.sku} is priced in {product.currency}, {buyer.name} is invoiced "
                f"in {buyer.currency}.",
                field=f"{path}.sku",
            )
        low = buyer.tenant.white_label_minimum
        if channel == Channel.WHITE_LABEL and line.quantity < low:
            raise Invalid(
                f"White-label orders start at {low} pieces a line.",
                field=f"{path}.quantity",
            )
    return products


def explode(order: Order, lines: list[OrderLine]) -> None:
    """Turn the lines into work orders (made parts) and part needs (bought-in parts).

    Parts due = ship-by date less the tenant's days at headquarters, never before today.
    The number of queries depends on the distinct bought-in parts, not on the lines.
    """
    tenant = order.tenant
    due_on = max(
        order.ship_by - timedelta(days=tenant.assembly_days), timezone.localdate()
    )
    bill = Bill.read([line.product for line in lines])
    made: list[WorkOrder] = []
    bought: list[PartNeed] = []
    for line in lines:
        needs = bill.explode(line.product, line.quantity)
        if not needs:
            raise Invalid(
                f"{line.product.sku} has no bill of materials yet. Complete it in the "
                "back office first.",
                field=f"lines[{line.number - 1}].sku",
            )
        if max(needs.values()) > MAX_PARTS:
            raise Invalid(
                f"That needs more than {MAX_PARTS:,} pieces of one part.",
                field=f"lines[{line.number - 1}].quantity",
            )
        for part, quantity in needs.items():
            row = {"tenant": tenant, "line": line, "component": part}
            if part.kind == ComponentKind.MADE:
                made.append(WorkOrder(quantity=quantity, due_on=due_on, **row))
            else:
                bought.append(PartNeed(quantity=quantity, **row))
    WorkOrder.objects.bulk_create(made)
    PartNeed.objects.bulk_create(bought)
    parts = {need.component_id: need.component for need in bought}
    for pk in sorted(parts):
        reserve(component=parts[pk])


@dataclass(frozen=True)
class Bill:
    """Bills of materials, read once: lines by product and by assembled component."""

    products: dict[int, list[BomLine]]
    parents: dict[int, list[BomLine]]

    @classmethod
    def read(cls, products: list[Product]) -> "Bill":
        """The bills of these products and of every assembled component. Two queries."""
        bill = cls(defaultdict(list), defaultdict(list))
        rows = BomLine.objects.select_related("component")
        for row in rows.filter(product__in=products):
            bill.products[row.product_id or 0].append(row)
        for row in rows.filter(parent__isnull=False):
            bill.parents[row.parent_id or 0].append(row)
        return bill

    def explode(self, product: Product, quantity: int) -> dict[Component, int]:
        """Made and bought parts that ``quantity`` of the product needs, all levels down.

        Raises ``Invalid`` when a bill of materials contains itself.
        """
        needs: dict[Component, int] = defaultdict(int)

        def descend(part: Component, count: int, path: tuple[int, ...]) -> None:
            if part.pk in path:
                raise Invalid(f"The bill of materials of {part.code} contains itself.")
            if part.kind != ComponentKind.ASSEMBLED:
                needs[part] += count
                return
            for row in self.parents[part.pk]:
                descend(row.component, count * row.quantity, (*path, part.pk))

        for row in self.products[product.pk]:
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
