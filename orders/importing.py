"""Orders from a spreadsheet: a row per order line."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby

from django.db.models import Q

from orders.enums import Channel
from orders.models import Buyer, Order
from orders.numbers import po_key
from orders.services.placing import (
    MAX_QUANTITY,
    DraftLine,
    LineInput,
    order_mistakes,
    place_order,
    products_of,
)
from vrp.accounts.enums import Permission
from vrp.errors import DomainError, Invalid, Mistakes
from vrp.events.services import Actor
from vrp.imports.reader import Column, Row
from vrp.imports.services import (
    Importer,
    Outcome,
    Reading,
    parse_choice,
    parse_date,
    parse_number,
    quoted,
    register,
)
from vrp.tenancy.models import Tenant

COLUMNS = [
    Column("buyer", "code of the buyer", "NRD"),
    Column("po_number", "the buyer's own number", "NRD-4500123"),
    Column("ship_by", "last day to ship", "2027-03-29"),
    Column("sku", "product", "HPN-01"),
    Column("quantity", "pieces", "1200"),
    Column("channel", "wholesale, white_label or web", "wholesale", required=False),
]


def load(tenant: Tenant, rows: list[Row], actor: Actor, outcome: Outcome) -> None:
    """Place each order of the file; one that is there with the same lines is left."""
    buyers = {buyer.code: buyer for buyer in Buyer.objects.all()}
    rows = sorted(rows, key=lambda row: (row["buyer"], row["po_number"], row.line))
    for (code, _), group in groupby(
        rows, key=lambda row: (row["buyer"], row["po_number"])
    ):
        lines = list(group)
        try:
            _order(tenant, buyers.get(code), lines, actor, outcome)
        except DomainError as error:
            _refuse(error, lines, outcome)


def _refuse(error: DomainError, lines: list[Row], outcome: Outcome) -> None:
    """Note what a service said at the line behind its field (``lines[2].sku``)."""
    if isinstance(error, Mistakes):
        for one in error.found:
            _refuse(one, lines, outcome)
        return
    line, column = lines[0].line, error.field
    if column.startswith("lines["):
        index, _, column = column.removeprefix("lines[").partition("].")
        line = lines[int(index)].line
    outcome.refuse(line, column, error.message)


@dataclass
class _Draft:
    """One order as the file has it; None is what could not be read."""

    po_number: str
    lines: list[DraftLine]
    ship_by: date | None
    channel: str | None
    failed: bool


def _read(rows: list[Row], outcome: Outcome) -> _Draft:
    """Read an order's rows. Every mistake is noted at its line and column."""
    head = Reading(rows[0].line, outcome)
    po_number = rows[0]["po_number"]
    if len(po_number) > 40:
        head.refuse(Invalid("At most 40 characters.", field="po_number"))
    ship_by = head.take(lambda: parse_date(rows[0]["ship_by"], "ship_by"))
    channel = head.take(
        lambda: parse_choice(rows[0]["channel"] or "wholesale", Channel, "channel")
    )
    readings = [head]
    lines = []
    for row in rows:
        reading = Reading(row.line, outcome)
        readings.append(reading)
        quantity = reading.take(partial(_quantity, row))
        lines.append(DraftLine(row["sku"][:30], quantity))
        for column in ("ship_by", "channel"):
            if row[column].casefold() != rows[0][column].casefold():
                text = "One order has one ship-by date and one channel."
                reading.refuse(Invalid(text, field=column))
    return _Draft(
        po_number, lines, ship_by, channel, any(one.failed for one in readings)
    )


def _quantity(row: Row) -> int:
    return parse_number(row["quantity"], "quantity", low=1, high=MAX_QUANTITY)


def _order(
    tenant: Tenant,
    buyer: Buyer | None,
    rows: list[Row],
    actor: Actor,
    outcome: Outcome,
) -> None:
    draft = _read(rows, outcome)
    if buyer is None:
        reason = f"There is no buyer {quoted(rows[0]['buyer'])}."
        outcome.refuse(rows[0].line, "buyer", reason)
        there = None
    else:
        same = Q(po_number=draft.po_number) | Q(po_key=po_key(draft.po_number))
        there = Order.objects.filter(same, buyer=buyer).order_by("pk").first()
    if there is None:
        mistakes = list(
            order_mistakes(
                buyer=buyer,
                po_number=draft.po_number,
                lines=draft.lines,
                ship_by=draft.ship_by,
                channel=draft.channel,
                products=products_of(draft.lines),
            )
        )
        for mistake in mistakes:
            _refuse(mistake, rows, outcome)
        draft.failed = draft.failed or bool(mistakes)
    if buyer is None or draft.failed or not draft.ship_by or not draft.channel:
        return
    lines = [LineInput(line.sku, line.quantity or 0) for line in draft.lines]
    if there is None:
        place_order(
            tenant=tenant,
            buyer=buyer,
            po_number=draft.po_number,
            lines=lines,
            ship_by=draft.ship_by,
            channel=draft.channel,
            actor=actor,
        )
        outcome.created += 1
        return
    written = list(there.lines.values_list("product__sku", "quantity"))
    wanted = [(line.sku, line.quantity) for line in lines]
    if sorted(written) != sorted(wanted) or there.ship_by != draft.ship_by:
        raise Invalid(
            "This PO number was placed with other lines or another date.",
            field="po_number",
        )
    outcome.unchanged += 1


ORDERS = register(
    Importer(
        kind="orders",
        title="Orders",
        permission=Permission.PLACE_ORDERS,
        columns=COLUMNS,
        load=load,
    )
)
