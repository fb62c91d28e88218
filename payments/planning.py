"""What a run would pay one workshop: arithmetic only, no database.

Payables are paid oldest first. What the wallet cannot carry is held, each part with its
reason, and stays owed; payouts and holds add up to the gross, to the cent.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from payments.enums import HoldReason
from payments.limits import (
    WALLET_CURRENCY,
    WALLET_MAX_MINOR,
    WALLET_MIN_MINOR,
    WALLET_UNIT_MINOR,
)

# A Kenyan mobile number as the wallet takes it (without the plus).
WALLET_PHONE = re.compile(r"\+254[17][0-9]{8}")


@dataclass
class WorkshopPlan:
    """``payouts``: for each payout its (payable id, minor units) parts."""

    gross_minor: int
    payouts: list[list[tuple[int, int]]] = field(default_factory=list)
    holds: dict[HoldReason, int] = field(default_factory=dict)

    @property
    def amounts(self) -> list[int]:
        """The amount of each payout."""
        return [sum(minor for _, minor in parts) for parts in self.payouts]

    @property
    def net_minor(self) -> int:
        """What would be sent now."""
        return sum(self.amounts)

    @property
    def held_minor(self) -> int:
        """What stays owed."""
        return sum(self.holds.values())


def plan_workshop(
    open_parts: Sequence[tuple[int, int]],
    *,
    owed_minor: int,
    phone: str,
    currency: str,
) -> WorkshopPlan:
    """Split what is open, as (payable id, minor units) oldest first, into payouts.

    ``owed_minor`` is what the ledger owes beyond runs that are made already: never more
    is paid than that, even if a payment went out twice before.
    """
    gross = sum(minor for _, minor in open_parts)
    plan = WorkshopPlan(gross)
    if not gross:
        return plan
    if currency != WALLET_CURRENCY:
        plan.holds[HoldReason.CURRENCY] = gross
        return plan
    if not WALLET_PHONE.fullmatch(phone):
        plan.holds[HoldReason.PHONE] = gross
        return plan
    available = min(gross, max(0, owed_minor))
    if available < gross:
        plan.holds[HoldReason.OVERPAID] = gross - available
    amounts, left = _amounts(available)
    if left:
        few = HoldReason.CENTS if left < WALLET_UNIT_MINOR else HoldReason.MINIMUM
        plan.holds[few] = left
    plan.payouts = _fill(amounts, open_parts)
    return plan


def _amounts(available: int) -> tuple[list[int], int]:
    """Amounts the wallet carries, and what is left over."""
    amounts, left = [], available
    while left >= WALLET_MIN_MINOR:
        amount = min(WALLET_MAX_MINOR, left - left % WALLET_UNIT_MINOR)
        amounts.append(amount)
        left -= amount
    return amounts, left


def _fill(
    amounts: list[int], open_parts: Sequence[tuple[int, int]]
) -> list[list[tuple[int, int]]]:
    """Give each payout its parts, taking payables in order."""
    rest = [[payable, minor] for payable, minor in open_parts if minor]
    payouts = []
    for amount in amounts:
        parts: list[tuple[int, int]] = []
        while amount:
            payable, minor = rest[0]
            part = min(minor, amount)
            parts.append((payable, part))
            amount -= part
            rest[0][1] -= part
            if not rest[0][1]:
                rest.pop(0)
        payouts.append(parts)
    return payouts
