"""Bought-in parts: stock, and what of it is promised to which order."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce

from orders.enums import ComponentKind, LineStage
from orders.models import Component, Order, OrderLine, PartNeed, StockMove
from orders.services.progress import refresh_order
from vrp.errors import IllegalMove, Invalid
from vrp.events.services import Actor, record

# Lines that have taken their parts out of the store.
CONSUMED = (
    LineStage.ASSEMBLED,
    LineStage.FINISHED,
    LineStage.PACKED,
    LineStage.SHIPPED,
)

# Pieces in one booking; more is a slip of the finger.
MAX_MOVE = 10_000_000


def on_hand(component: Component) -> int:
    """Pieces in the store: the sum of all moves."""
    moves = StockMove.objects.filter(component=component)
    return moves.aggregate(total=Coalesce(Sum("quantity"), 0))["total"]


@transaction.atomic
def receive_stock(
    *,
    component: Component,
    quantity: int,
    reason: str,
    actor: Actor,
    expected_on_hand: int | None = None,
) -> StockMove:
    """Book a change of stock in or out, then promise what is free to waiting orders.

    ``expected_on_hand`` is the stock that a form showed: if it changed meanwhile (a double
    click, a colleague), ``IllegalMove`` is raised and nothing is booked. Raises
    ``Invalid`` for zero, for a part that is not bought in, or for taking out more than
    is there.
    """
    component = Component.objects.select_for_update(of=("self",)).get(pk=component.pk)
    if component.kind != ComponentKind.BOUGHT:
        raise Invalid("Only bought-in parts have stock.", field="component")
    if quantity == 0 or abs(quantity) > MAX_MOVE:
        raise Invalid(f"Say 1 to {MAX_MOVE:,} pieces.", field="quantity")
    there = on_hand(component)
    if expected_on_hand is not None and there != expected_on_hand:
        raise IllegalMove(
            f"The stock of {component.code} is {there:,} now, not {expected_on_hand:,}: "
            "somebody booked a change just before."
        )
    if there + quantity < 0:
        raise Invalid("There is not that much in the store.", field="quantity")
    move = StockMove.objects.create(
        tenant=component.tenant, component=component, quantity=quantity, reason=reason
    )
    record(
        "stock.received",
        subject=component,
        actor=actor,
        data={"quantity": quantity},
        reason=reason,
    )
    for order in reserve(components=[component]):
        refresh_order(order=order, actor=actor)
    return move


@transaction.atomic
def reserve(*, components: Iterable[Component]) -> list[Order]:
    """Promise free stock to the needs that ship first; returns the orders touched.

    Reserved pieces stay in the store until their line is assembled. If more is promised
    than is there (pieces were taken out), the needs that ship last give theirs back.
    The parts are locked and counted together: as many queries for ten as for one, and
    more only where there is something to promise or to take back.
    """
    wanted = {component.pk for component in components}
    if not wanted:
        return []
    locked = list(
        Component.objects.select_for_update(of=("self",))
        .filter(pk__in=wanted)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    moves = StockMove.objects.filter(component__in=locked)
    there = dict(_sums(moves, "quantity"))
    needs = PartNeed.objects.filter(component__in=locked).exclude(
        line__stage__in=CONSUMED
    )
    promised = dict(_sums(needs, "reserved"))
    touched: list[Order] = []
    for pk in locked:
        own = needs.filter(component=pk)
        free = there.get(pk, 0) - promised.get(pk, 0)
        if free < 0:
            touched += _take_back(own, -free)
        elif free > 0:
            touched += _promise(own, free)
    return touched


def _sums(rows: QuerySet[Any], column: str) -> QuerySet[Any, tuple[int, int]]:
    """(component, sum of the column) of each component in the rows."""
    grouped = rows.order_by().values("component")
    return grouped.annotate(total=Sum(column)).values_list("component", "total")


def _promise(needs: QuerySet[PartNeed], free: int) -> list[Order]:
    """Promise ``free`` pieces of one part, first to ship first."""
    touched: list[Order] = []
    waiting = needs.filter(reserved__lt=F("quantity")).select_related("line__order")
    for need in waiting.order_by("line__order__ship_by", "id"):
        if free <= 0:
            break
        taken = min(free, need.shortage)
        need.reserved += taken
        need.save(update_fields=["reserved"])
        free -= taken
        touched.append(need.line.order)
    return touched


def _take_back(needs: QuerySet[PartNeed], missing: int) -> list[Order]:
    """Take promises back, last to ship first, until ``missing`` pieces are free."""
    touched: list[Order] = []
    promised = needs.filter(reserved__gt=0).select_related("line__order")
    for need in promised.order_by("-line__order__ship_by", "-id"):
        if missing <= 0:
            break
        given = min(missing, need.reserved)
        need.reserved -= given
        need.save(update_fields=["reserved"])
        missing -= given
        touched.append(need.line.order)
    return touched


def consume(*, line: OrderLine) -> None:
    """Take a line's reserved parts out of the store, when it is assembled."""
    for need in line.part_needs.select_related("component"):
        StockMove.objects.create(
            tenant=line.tenant,
            component=need.component,
            quantity=-need.quantity,
            reason=f"assembled for {line.order.po_number}",
        )
