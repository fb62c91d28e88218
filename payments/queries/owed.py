"""What workshops are owed, and what they were sent."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from artisans.models import Workshop
from orders.models import Order
from payments.enums import PAYOUT_UNDER_WAY, AccountKind, PayoutState
from payments.models import Account, Payable, Payout, PayoutLine
from payments.queries.ledger import balance


@dataclass(frozen=True)
class OrderPay:
    """Piece work of an order: what it earned the workshops, what of it is paid."""

    earned_minor: int
    paid_minor: int
    currency: str
    pieces: int


def owed_to(workshop: Workshop) -> int:
    """Net minor units owed and not yet sent, in the tenant's currency.

    A payment leaves this sum when its run is approved, and comes back if it fails.
    Never below zero: what was paid too much is kept back from later payments.
    """
    account = Account.objects.filter(
        kind=AccountKind.WORKSHOP,
        workshop=workshop,
        currency=workshop.tenant.currency,
    ).first()
    return max(0, -balance(account)) if account else 0


def on_its_way(workshop: Workshop) -> int:
    """Minor units approved and sent, or about to be, with no outcome yet."""
    rows = Payout.objects.filter(workshop=workshop, state__in=PAYOUT_UNDER_WAY)
    return rows.aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"]


def last_payouts(workshop: Workshop, n: int) -> list[Payout]:
    """The newest ``n`` payments that the workshop has received, newest first."""
    rows = Payout.objects.filter(workshop=workshop, state=PayoutState.PAID)
    return list(rows.order_by("-settled_at", "-id")[:n])


def open_payables() -> QuerySet[Payable]:
    """Payables of which some part is in no live payout."""
    return Payable.objects.filter(open_minor__gt=0)


def owed_by_workshop() -> QuerySet[Workshop]:
    """Workshops with something open: ``open_minor``, ``payables``, ``oldest_at``."""
    # Filtered first, so that what was paid long ago is not read at all.
    return Workshop.objects.filter(payables__open_minor__gt=0).annotate(
        open_minor=Sum("payables__open_minor"),
        open_payables=Count("payables"),
        oldest_at=Min("payables__at"),
    )


def drafted(workshop_ids: Iterable[int]) -> dict[int, int]:
    """Minor units in runs that wait for approval, by workshop."""
    rows = Payout.objects.filter(
        state=PayoutState.DRAFT, workshop_id__in=list(workshop_ids)
    )
    return dict(rows.values_list("workshop_id").annotate(total=Sum("amount_minor")))


def order_pay(order: Order) -> OrderPay:
    """What an order's accepted pieces earned the workshops, in the tenant's currency.

    Not a share of the order's value: that may be in the buyer's currency.
    """
    mine = Q(inspection__batch__job__work_order__line__order=order)
    earned = Payable.objects.filter(mine).aggregate(
        total=Coalesce(Sum("amount_minor"), 0), pieces=Coalesce(Sum("items"), 0)
    )
    lines = PayoutLine.objects.filter(
        payable__inspection__batch__job__work_order__line__order=order,
        payout__state=PayoutState.PAID,
        is_live=True,
    )
    paid = lines.aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"]
    return OrderPay(earned["total"], paid, order.tenant.currency, earned["pieces"])
