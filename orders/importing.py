"""Orders from a spreadsheet: a row per order line."""

from itertools import groupby

from orders.enums import Channel
from orders.models import Buyer, Order
from orders.services.placing import MAX_QUANTITY, LineInput, place_order
from vrp.accounts.enums import Permission
from vrp.errors import DomainError, Invalid
from vrp.events.services import Actor
from vrp.imports.reader import Column, Row
from vrp.imports.services import (
    Importer,
    Outcome,
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
    for (code, po_number), group in groupby(
        rows, key=lambda row: (row["buyer"], row["po_number"])
    ):
        lines = list(group)
        try:
            if code not in buyers:
                raise Invalid(f"There is no buyer {quoted(code)}.", field="buyer")
            _order(tenant, buyers[code], po_number, lines, actor, outcome)
        except DomainError as error:
            line, column = _place(error.field, lines)
            outcome.refuse(line, column, error.message)


def _place(field: str, lines: list[Row]) -> tuple[int, str]:
    """The file's line and column behind a service's field path (``lines[2].sku``)."""
    if field.startswith("lines["):
        index, _, column = field.removeprefix("lines[").partition("].")
        return lines[int(index)].line, column
    return lines[0].line, field


def _order(
    tenant: Tenant,
    buyer: Buyer,
    po_number: str,
    rows: list[Row],
    actor: Actor,
    outcome: Outcome,
) -> None:
    if len(po_number) > 40:
        raise Invalid("At most 40 characters.", field="po_number")
    lines = [
        LineInput(
            row["sku"][:30],
            parse_number(
                row["quantity"], f"lines[{index}].quantity", low=1, high=MAX_QUANTITY
            ),
        )
        for index, row in enumerate(rows)
    ]
    ship_by = parse_date(rows[0]["ship_by"], "ship_by")
    channel = parse_choice(rows[0]["channel"] or "wholesale", Channel, "channel")
    for index, row in enumerate(rows):
        for column in ("ship_by", "channel"):
            if row[column] != rows[0][column]:
                raise Invalid(
                    "One order has one ship-by date and one channel.",
                    field=f"lines[{index}].{column}",
                )
    there = Order.objects.filter(buyer=buyer, po_number=po_number).first()
    if there is None:
        place_order(
            tenant=tenant,
            buyer=buyer,
            po_number=po_number,
            lines=lines,
            ship_by=ship_by,
            channel=channel,
            actor=actor,
        )
        outcome.created += 1
        return
    written = list(there.lines.values_list("product__sku", "quantity"))
    wanted = [(line.sku, line.quantity) for line in lines]
    if sorted(written) != sorted(wanted) or there.ship_by != ship_by:
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
