"""Reads of this room that others use."""

from payments.queries.books import BookDifference, book_differences
from payments.queries.ledger import (
    StatementRow,
    TrialBalance,
    account_balances,
    balance,
    statement,
    trial_balance,
)
from payments.queries.owed import (
    OrderPay,
    last_payouts,
    on_its_way,
    order_pay,
    owed_by_workshop,
    owed_to,
)
from payments.queries.preview import RunPreview, preview_run

__all__ = [
    "BookDifference",
    "OrderPay",
    "RunPreview",
    "StatementRow",
    "TrialBalance",
    "account_balances",
    "balance",
    "book_differences",
    "last_payouts",
    "on_its_way",
    "order_pay",
    "owed_by_workshop",
    "owed_to",
    "preview_run",
    "statement",
    "trial_balance",
]
