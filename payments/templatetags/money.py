"""What other rooms' pages show of money: ``{% include "payments/_workshop.html" %}``."""

from dataclasses import dataclass

from django import template

from artisans.models import Workshop
from payments.enums import AccountKind
from payments.models import Account, Payout
from payments.queries import last_payouts, on_its_way, owed_to

register = template.Library()


@dataclass(frozen=True)
class WorkshopMoney:
    """Minor units in ``currency``, and the newest five payments."""

    currency: str
    owed_minor: int
    under_way_minor: int
    last: list[Payout]
    account: Account | None


@register.simple_tag
def workshop_money(workshop: Workshop) -> WorkshopMoney:
    """Owed, on its way, and paid last."""
    return WorkshopMoney(
        currency=workshop.tenant.currency,
        owed_minor=owed_to(workshop),
        under_way_minor=on_its_way(workshop),
        last=last_payouts(workshop, 5),
        account=Account.objects.filter(
            kind=AccountKind.WORKSHOP, workshop=workshop
        ).first(),
    )
