"""Does the ledger agree with payables and payouts? Each difference, in words."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from payments.enums import PAYOUT_UNDER_WAY, AccountKind, PayoutState
from payments.models import Payable, Payout, PayoutLine
from payments.queries.ledger import TrialBalance, trial_balance


@dataclass(frozen=True)
class BookDifference:
    """``ledger_minor`` is what the account says, ``rows_minor`` what its rows say."""

    what: str
    currency: str
    ledger_minor: int
    rows_minor: int


def book_differences(trial: TrialBalance | None = None) -> list[BookDifference]:
    """Compare the four kinds of account with the rows behind them; empty is good.

    ``trial`` is the trial balance where a caller has it already.

    Owed to workshops is what is open or in a draft run, less what was paid twice (paid
    by the wallet's own receipt after we had taken the payment for failed).
    """
    trial = trial or trial_balance()
    ledger = {
        (row.kind.value, row.currency): row.balance_minor
        for row in trial.rows
        if row.balance_minor
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

    def add(kind: AccountKind, currency: str, minor: int) -> None:
        key = (kind.value, currency)
        expected[key] = expected.get(key, 0) + minor

    payables = Payable.objects.values("currency").annotate(
        earned=Sum("amount_minor"), open=Sum("open_minor")
    )
    for row in payables:
        add(AccountKind.PIECE_WORK, row["currency"], row["earned"])
        add(AccountKind.WORKSHOP, row["currency"], -row["open"])
    payouts = Payout.objects.values("currency").annotate(
        drafts=_total(state=PayoutState.DRAFT),
        under_way=_total(state__in=PAYOUT_UNDER_WAY),
        paid=_total(state=PayoutState.PAID),
    )
    for sums in payouts:
        add(AccountKind.IN_TRANSIT, sums["currency"], -sums["under_way"])
        add(AccountKind.WALLET, sums["currency"], -sums["paid"])
        add(AccountKind.WORKSHOP, sums["currency"], sums["paid"] - sums["drafts"])
    covered = PayoutLine.objects.filter(is_live=True, payout__state=PayoutState.PAID)
    covered_sums = covered.values_list("payout__currency")
    for currency, minor in covered_sums.annotate(Sum("amount_minor")):
        add(AccountKind.WORKSHOP, currency, -minor)
    return expected


def _total(**condition: Any) -> Coalesce:
    return Coalesce(Sum("amount_minor", filter=Q(**condition)), 0)
