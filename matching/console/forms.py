"""Forms of the plan pages."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from artisans.models import Workshop
from matching.models import Plan
from matching.services.requesting import MAX_LOT, MAX_SEED
from vrp.console.fields import DayField, PlainDecimalField, WholeNumberField
from vrp.digits import whole_number
from vrp.errors import Invalid
from vrp.tenancy.models import Tenant

QUANTITY = "quantity_"


class PlanForm(forms.Form):
    """How to plan: fairness, lot rules, and optionally another due day and seed."""

    fairness = PlainDecimalField(
        min_value=0,
        max_value=1,
        max_digits=3,
        decimal_places=2,
        help_text="0: the best score gets the work. 1: work is spread evenly.",
        widget=forms.NumberInput(attrs={"step": "0.05"}),
    )
    min_lot = WholeNumberField(label="Smallest lot", min_value=1, max_value=MAX_LOT)
    max_lot = WholeNumberField(label="Largest lot", min_value=1, max_value=MAX_LOT)
    due_on = DayField(
        label="Another due day",
        required=False,
        help_text="For work that is late; else each part keeps its own.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    seed = WholeNumberField(
        required=False, min_value=0, max_value=MAX_SEED, widget=forms.HiddenInput
    )

    @classmethod
    def starting(cls, tenant: Tenant, plan: Plan | None = None) -> "PlanForm":
        """Unbound, with the rules of a plan or else of the tenant."""
        rules = plan or tenant
        return cls(
            initial={
                "fairness": rules.fairness,
                "min_lot": rules.min_lot,
                "max_lot": rules.max_lot,
                "due_on": plan.due_on if plan else None,
                "seed": plan.seed if plan else 1,
            }
        )

    def rules(self) -> dict[str, Any]:
        """Keyword arguments for ``request_plan``."""
        found = dict(self.cleaned_data)
        if found["seed"] is None:
            found["seed"] = 1
        return found


def posted(data: QueryDict, tenant: Tenant) -> QueryDict:
    """The posted rules, with the tenant's own where a field was not sent at all."""
    full = data.copy()
    for name in ("fairness", "min_lot", "max_lot"):
        if name not in full:
            full[name] = str(getattr(tenant, name))
    return full


def read_quantities(data: Mapping[str, str]) -> dict[Workshop, int]:
    """``quantity_<workshop id>`` fields as pieces by workshop; blank ones left out.

    Raises ``Invalid`` for what is not a whole number from 0.
    """
    typed: dict[int, int] = {}
    for name in data:
        key = whole_number(name.removeprefix(QUANTITY))
        text = str(data[name]).strip()
        if not name.startswith(QUANTITY) or not text:
            continue
        pieces = whole_number(text, most=9)
        if key is None:
            raise Invalid("Unknown workshop.", field="workshop")
        if pieces is None:
            raise Invalid("Pieces are a whole number from 0.", field="quantity")
        typed[key] = pieces
    found = Workshop.objects.in_bulk(list(typed))
    if set(found) != set(typed):
        raise Invalid("Unknown workshop.", field="workshop")
    return {workshop: typed[pk] for pk, workshop in found.items()}
