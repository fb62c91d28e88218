"""The form of a new order: a head and rows of product and quantity."""

from typing import Any

from django import forms

from orders.enums import Channel
from orders.models import Buyer, Product
from orders.services.placing import (
    MAX_LINES,
    DraftLine,
    LineInput,
    order_mistakes,
    products_of,
)
from vrp.console.fields import DayField, LineField, LinesField
from vrp.digits import whole_number
from vrp.errors import DomainError, Mistakes

ROWS = 4
MORE = 6
CHOICES = 1_000


class OrderForm(forms.Form):
    """Head fields, and ``rows`` read from ``sku-<n>`` and ``quantity-<n>``."""

    buyer: forms.ModelChoiceField = forms.ModelChoiceField(
        Buyer.objects.none(), empty_label="Choose"
    )
    po_number = LineField(
        label="PO number", max_length=40, help_text="The buyer's own number."
    )
    ship_by = DayField(label="Ship by", widget=forms.DateInput(attrs={"type": "date"}))
    channel = forms.ChoiceField(choices=Channel.choices)
    note = LinesField(
        required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["buyer"].queryset = Buyer.objects.order_by("name")  # type: ignore[attr-defined]
        self.rows = self._read(data)

    @staticmethod
    def _read(data: Any) -> list[dict[str, Any]]:
        count = ROWS
        while data and count < MAX_LINES and f"sku-{count}" in data:
            count += 1
        return [
            {
                "index": index,
                "sku": (data.get(f"sku-{index}", "") if data else "").strip()[:60],
                "quantity": (data.get(f"quantity-{index}", "") if data else "").strip(),
                "error": "",
            }
            for index in range(count)
        ]

    def add_rows(self) -> None:
        """Further empty rows; what was typed stays, and nothing is complained of yet."""
        start = len(self.rows)
        stop = min(start + MORE, MAX_LINES)
        self.rows += [
            {"index": index, "sku": "", "quantity": "", "error": ""}
            for index in range(start, stop)
        ]
        self._errors = forms.utils.ErrorDict()
        self.cleaned_data = {}

    def products(self) -> list[Product]:
        """What may be ordered, for the list of suggestions."""
        return list(Product.objects.filter(retired_on__isnull=True)[:CHOICES])

    def filled(self) -> list[dict[str, Any]]:
        """The rows that somebody wrote in, in order."""
        return [row for row in self.rows if row["sku"] or row["quantity"]]

    def clean(self) -> dict[str, Any]:
        for row in self.filled():
            text = row["quantity"]
            if not row["sku"]:
                row["error"] = "Which product?"
            elif "\x00" in row["sku"]:
                row["error"], row["sku"] = "There is no such product.", ""
            if not whole_number(text, most=9):
                _say(row, "Give a number of pieces from 1.")
        if not self.filled():
            self.rows[0]["error"] = "An order has at least one line."
        else:
            self._check()
        if any(row["error"] for row in self.rows):
            self.add_error(None, "Look at the marked lines.")
        return self.cleaned_data

    def _check(self) -> None:
        """Say what the service would refuse, beside what could not be read."""
        filled, given = self.filled(), self.cleaned_data
        lines = [
            # 0 was complained of already, like what is no number.
            DraftLine(row["sku"], whole_number(row["quantity"], most=9) or None)
            for row in filled
        ]
        for mistake in order_mistakes(
            buyer=given.get("buyer"),
            po_number=given.get("po_number"),
            lines=lines,
            ship_by=given.get("ship_by"),
            channel=given.get("channel"),
            products=products_of(lines),
        ):
            if not mistake.field.startswith("lines["):
                known = mistake.field if mistake.field in self.fields else None
                self.add_error(known, mistake.message)
                continue
            row = filled[_index(mistake.field)]
            if row["sku"] or not mistake.field.endswith(".sku"):
                _say(row, mistake.message)

    def line_inputs(self) -> list[LineInput]:
        """The lines for the service. Call on a valid form only."""
        return [LineInput(row["sku"], int(row["quantity"])) for row in self.filled()]

    def take_error(self, error: DomainError) -> None:
        """Show what the service said at the field or line it is about."""
        if isinstance(error, Mistakes):
            for one in error.found:
                self.take_error(one)
            return
        if error.field.startswith("lines["):
            self.filled()[_index(error.field)]["error"] = error.message
            self.add_error(None, "Look at the marked lines.")
        else:
            known = error.field if error.field in self.fields else None
            self.add_error(known, error.message)


def _index(path: str) -> int:
    """The line behind a service's field path (``lines[2].sku``)."""
    return int(path.removeprefix("lines[").partition("]")[0])


def _say(row: dict[str, Any], words: str) -> None:
    """Add a complaint to a row's others."""
    row["error"] = f"{row['error']} {words}".strip()
