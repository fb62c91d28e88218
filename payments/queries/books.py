"""Does the ledger agree with payables and payouts? Each difference, in words."""

from dataclasses import dataclass

from django.db.models import Q, Sum

from payments.enums import PAYOUT_UNDER_WAY, AccountKind, PayoutState
from payments.models import Payable, Payout, PayoutLine, Posting


@dataclass(frozen=True)
class BookDifference:
    """``ledger_minor`` is what the account says, ``rows_minor`` what its rows say."""

    what: str
    currency: str
    ledger_minor: int
    rows_minor: int


def book_differences() -> list[BookDifference]:
    """Compare the four kinds of account with the rows behind them; empty is good.

    Owed to workshops is what is open or in a draft run, less what was paid twice (paid
    by the wallet's own receipt after we had taken the payment for failed).
    """
    ledger = {
        (kind, currency): total
        for kind, currency, total in Posting.objects.values_list(
            "account__kind", "currency"
        ).annotate(total=Sum("amount_minor"))
    }
    rows = _expected()
    return [
        BookDifference(AccountKind(kind).label, currency, have, want)
        for kind, currency in sorted(ledger.keys() | rows.keys())
        if (have := ledger.get((kind, currency), 0))
        != (want := rows.get((kind, currency), 0))
    ]


def _expected() -> dict[tuple[str, str], int]:
    expected: dict[tuple[str, str], int] = {}

    def add(kind: AccountKind, currency: str, minor: int | None) -> None:
        key = (kind.value, currency)
        expected[key] = expected.get(key, 0) + (minor or 0)

    payables = Payable.objects.values_list("currency")
    for currency, earned, still_open in payables.annotate(
        Sum("amount_minor"), Sum("open_minor")
    ):
        add(AccountKind.PIECE_WORK, currency, earned)
        add(AccountKind.WORKSHOP, currency, -still_open)
    payouts = Payout.objects.values_list("currency")
    for currency, drafts, under_way, paid in payouts.annotate(
        Sum("amount_minor", filter=Q(state=PayoutState.DRAFT)),
        Sum("amount_minor", filter=Q(state__in=PAYOUT_UNDER_WAY)),
        Sum("amount_minor", filter=Q(state=PayoutState.PAID)),
    ):
        add(AccountKind.WORKSHOP, currency, -(drafts or 0))
        add(AccountKind.IN_TRANSIT, currency, -(under_way or 0))
        add(AccountKind.WALLET, currency, -(paid or 0))
        add(AccountKind.WORKSHOP, currency, paid)
    covered = PayoutLine.objects.filter(is_live=True, payout__state=PayoutState.PAID)
    for currency, minor in covered.values_list("payout__currency").annotate(
        Sum("amount_minor")
    ):
        add(AccountKind.WORKSHOP, currency, -minor)
    return expected
