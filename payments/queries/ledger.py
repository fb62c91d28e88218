"""Balances and statements. Minor units; debit positive, credit negative."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from payments.enums import AccountKind
from payments.models import Account, Posting


@dataclass(frozen=True)
class TrialRow:
    """One line of the trial balance; all workshops of a currency are one line."""

    kind: AccountKind
    currency: str
    account: Account | None
    accounts: int
    balance_minor: int

    @property
    def credit_minor(self) -> int:
        """The balance as a credit."""
        return -self.balance_minor


@dataclass(frozen=True)
class TrialBalance:
    """Every account with its balance; ``off`` names currencies that do not sum to 0."""

    rows: list[TrialRow]
    off: dict[str, int]

    @property
    def totals(self) -> list[tuple[str, int, int]]:
        """Sum of debits and of credits by currency."""
        return [
            (
                currency,
                sum(
                    max(0, r.balance_minor) for r in self.rows if r.currency == currency
                ),
                sum(
                    max(0, r.credit_minor) for r in self.rows if r.currency == currency
                ),
            )
            for currency in sorted({row.currency for row in self.rows})
        ]


@dataclass(frozen=True)
class StatementRow:
    """One posting and what the account stood at after it."""

    posting: Posting
    balance_minor: int


def balance(account: Account) -> int:
    """What the account stands at."""
    return _sum(Posting.objects.filter(account=account))


def account_balances() -> dict[int, int]:
    """What every account with postings stands at, by account id: the one pass over all
    postings that a page takes."""
    sums = Posting.objects.order_by().values_list("account_id")
    return dict(sums.annotate(total=Sum("amount_minor")))


def trial_balance(balances: Mapping[int, int] | None = None) -> TrialBalance:
    """All accounts of the tenant; three queries however many workshops there are.

    ``balances`` as from ``account_balances`` where a caller has them already.
    """
    balances = account_balances() if balances is None else balances
    accounts_of: dict[tuple[str, str], list[int]] = defaultdict(list)
    for pk, kind, currency in Account.objects.values_list("pk", "kind", "currency"):
        if pk in balances:
            accounts_of[kind, currency].append(pk)
    single = {
        (row.kind, row.currency): row
        for row in Account.objects.filter(workshop__isnull=True)
    }
    totals = {
        key: (sum(balances[one] for one in ids), len(ids))
        for key, ids in accounts_of.items()
    }
    keys = sorted(
        totals.keys() | single.keys(),
        key=lambda key: (key[1], AccountKind.values.index(key[0])),
    )
    rows = []
    for kind, currency in keys:
        total, accounts = totals.get((kind, currency), (0, 1))
        rows.append(
            TrialRow(
                kind=AccountKind(kind),
                currency=currency,
                account=single.get((kind, currency)),
                accounts=accounts,
                balance_minor=total,
            )
        )
    off: dict[str, int] = {}
    for row in rows:
        off[row.currency] = off.get(row.currency, 0) + row.balance_minor
    return TrialBalance(rows, {name: minor for name, minor in off.items() if minor})


def statement(account: Account, postings: Sequence[Posting]) -> list[StatementRow]:
    """Running balances for consecutive postings of the account, newest first."""
    if not postings:
        return []
    running = _sum(Posting.objects.filter(account=account, pk__lte=postings[0].pk))
    rows = []
    for posting in postings:
        rows.append(StatementRow(posting, running))
        running -= posting.amount_minor
    return rows


def workshop_balances(workshop_ids: Sequence[int] | None = None) -> dict[int, int]:
    """Balance of each workshop's account by workshop id (credit negative)."""
    wanted = Q(account__kind=AccountKind.WORKSHOP)
    if workshop_ids is not None:
        wanted &= Q(account__workshop_id__in=workshop_ids)
    rows = Posting.objects.filter(wanted).values_list("account__workshop_id")
    return dict(rows.annotate(total=Sum("amount_minor")))


def _sum(postings: QuerySet[Posting]) -> int:
    return postings.aggregate(total=Coalesce(Sum("amount_minor"), 0))["total"]
