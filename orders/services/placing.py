"""Taking an order in, and exploding it into what has to be made and bought."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
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
from orders.numbers import po_key
from orders.services.progress import refresh_order
from orders.services.stock import reserve
from vrp.errors import Conflict, IllegalMove, Invalid, Mistakes
from vrp.events.services import Actor, record
from vrp.moves import check_move
from vrp.tenancy.models import Tenant
from vrp.tenancy.numbers import next_number

MAX_QUANTITY = 1_000_000
MAX_LINES = 200
# What fits the database's integer columns.
MAX_PARTS = 2_000_000_000


@dataclass(frozen=True)
class DraftLine:
    """One line as it was read: ``quantity`` is None where it is not a number."""

    sku: str
    quantity: int | None


@dataclass(frozen=True)
class LineInput(DraftLine):
    """One line as the buyer wrote it."""

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

    Raises ``Mistakes`` with all that is not acceptable (each with its field's path) and
    ``Conflict`` (code ``duplicate_po``) when the buyer used this PO number before, in
    whatever case or width (``orders.numbers``).
    """
    products = products_of(lines)
    checked = order_mistakes(
        buyer=buyer,
        po_number=po_number,
        lines=lines,
        ship_by=ship_by,
        channel=channel,
        products=products,
    )
    if found := list(checked):
        raise Mistakes(found)
    order = Order(
        tenant=tenant,
        buyer=buyer,
        number=next_number(tenant, "order"),
        po_number=po_number,
        po_key=po_key(po_number),
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
    made = explode(order, rows)
    record(
        "order.placed",
        subject=order,
        actor=actor,
        data={
            "po_number": po_number,
            "lines": [[row.sku, row.quantity] for row in lines],
        },
    )
    # A line waits as long as nobody has made its parts; only what is all bought in (and
    # in stock) can be further already.
    if len(made) < len(rows):
        refresh_order(order=order, actor=actor)
    return order


def _insert(order: Order) -> None:
    try:
        with transaction.atomic():
            order.save(force_insert=True)
    except IntegrityError as error:
        same = Q(po_number=order.po_number) | Q(po_key=order.po_key)
        first = Order.objects.filter(same, buyer=order.buyer).order_by("pk").first()
        if first is None:
            raise
        raise Conflict(
            f"PO {first.po_number} was already placed as order {first.public_id}.",
            code="duplicate_po",
            field="po_number",
        ) from error


def products_of(lines: Iterable[DraftLine]) -> dict[str, Product]:
    """The products that the lines name, by SKU; unknown ones are left out."""
    return {
        row.sku: row
        for row in Product.objects.filter(sku__in={line.sku for line in lines})
    }


def order_mistakes(
    *,
    buyer: Buyer | None,
    po_number: str | None,
    lines: Sequence[DraftLine],
    ship_by: date | None,
    channel: str | None,
    products: dict[str, Product],
) -> Iterator[Invalid]:
    """Everything about an order that is not acceptable, with the field's path.

    None stands for what could not be read: it is not judged here. ``products`` is what
    ``products_of`` gives for the lines.
    """
    if po_number is not None and not po_key(po_number):
        yield Invalid("Give your own PO number.", field="po_number")
    if channel is not None and channel not in Channel.values:
        yield Invalid("Unknown channel.", field="channel")
    if ship_by is not None and ship_by < timezone.localdate():
        yield Invalid("The ship-by date is in the past.", field="ship_by")
    if not 1 <= len(lines) <= MAX_LINES:
        yield Invalid(f"An order has 1 to {MAX_LINES} lines.", field="lines")
    seen: set[str] = set()
    for index, line in enumerate(lines):
        path = f"lines[{index}]"
        wrong = _wrong_product(line.sku, products.get(line.sku), seen, buyer)
        if wrong:
            yield Invalid(wrong, field=f"{path}.sku")
        seen.add(line.sku)
        wrong = _wrong_quantity(line.quantity, channel, buyer)
        if wrong:
            yield Invalid(wrong, field=f"{path}.quantity")


def _wrong_product(
    sku: str, product: Product | None, seen: set[str], buyer: Buyer | None
) -> str:
    """Why this product may not be ordered on this line; empty if it may."""
    if product is None:
        return f"There is no product {sku}."
    if sku in seen:
        return f"{sku} stands on two lines; put it on one."
    if product.retired_on and product.retired_on <= timezone.localdate():
        return f"{sku} is retired."
    if buyer and product.currency != buyer.currency:
        return (
            f"{sku} is priced in {product.currency}, {buyer.name} is invoiced "
            f"in {buyer.currency}."
        )
    return ""


def _wrong_quantity(
    quantity: int | None, channel: str | None, buyer: Buyer | None
) -> str:
    """Why this many pieces may not be ordered; empty if they may."""
    if quantity is None:
        return ""
    if not 1 <= quantity <= MAX_QUANTITY:
        return f"A quantity is 1 to {MAX_QUANTITY:,}."
    if buyer and channel == Channel.WHITE_LABEL:
        low = buyer.tenant.white_label_minimum
        if quantity < low:
            return f"White-label orders start at {low} pieces a line."
    return ""


def explode(order: Order, lines: list[OrderLine]) -> set[int]:
    """Turn the lines into work orders (made parts) and part needs (bought-in parts).

    Returns the keys of the lines that have something made. Parts due = ship-by date less
    the tenant's days at headquarters, never before today. The number of queries does not
    depend on the lines; each bought-in part that is in stock costs one to find who waits
    for it, and one for each of those who get some.
    """
    tenant = order.tenant
    due_on = max(
        order.ship_by - timedelta(days=tenant.assembly_days), timezone.localdate()
    )
    bill = Bill.read([line.product for line in lines])
    made: list[WorkOrder] = []
    bought: list[PartNeed] = []
    wrong: list[Invalid] = []
    for line in lines:
        try:
            needs = _parts_of(bill, line)
        except Invalid as error:
            wrong.append(error)
            continue
        for part, quantity in needs.items():
            row = {"tenant": tenant, "line": line, "component": part}
            if part.kind == ComponentKind.MADE:
                made.append(WorkOrder(quantity=quantity, due_on=due_on, **row))
            else:
                bought.append(PartNeed(quantity=quantity, **row))
    if wrong:
        raise Mistakes(wrong)
    WorkOrder.objects.bulk_create(made)
    PartNeed.objects.bulk_create(bought)
    reserve(components=[need.component for need in bought])
    return {row.line_id for row in made}


def _parts_of(bill: "Bill", line: OrderLine) -> dict[Component, int]:
    """What one line needs. Raises ``Invalid`` with the path of what is at fault."""
    path = f"lines[{line.number - 1}]"
    try:
        needs = bill.explode(line.product, line.quantity)
    except Invalid as error:
        raise Invalid(error.message, field=f"{path}.sku") from error
    if not needs:
        raise Invalid(
            f"{line.product.sku} has no bill of materials yet. Complete it in the "
            "back office first.",
            field=f"{path}.sku",
        )
    if max(needs.values()) > MAX_PARTS:
        raise Invalid(
            f"That needs more than {MAX_PARTS:,} pieces of one part.",
            field=f"{path}.quantity",
        )
    return needs


@dataclass(frozen=True)
class Bill:
    """Bills of materials, read once: lines by product and by assembled component."""

    products: dict[int, list[BomLine]]
    parents: dict[int, list[BomLine]]

    @classmethod
    def read(cls, products: list[Product]) -> "Bill":
        """The bills of these products and of every assembled component. One query."""
        bill = cls(defaultdict(list), defaultdict(list))
        wanted = Q(product__in=products) | Q(parent__isnull=False)
        for row in BomLine.objects.filter(wanted).select_related("component"):
            if row.parent_id is not None:
                bill.parents[row.parent_id].append(row)
            else:
                bill.products[row.product_id or 0].append(row)
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
    reserve(components=components)
    record("order.cancelled", subject=order, actor=actor, reason=reason)
    return order
