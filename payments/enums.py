"""Kinds of account, states of payout runs and payouts, and why money is held."""

from django.db.models import TextChoices


class AccountKind(TextChoices):
    """A tenant's chart of accounts. Sign: debit positive, credit negative."""

    PIECE_WORK = "piece_work", "piece-work cost"
    WORKSHOP = "workshop", "owed to a workshop"
    IN_TRANSIT = "in_transit", "payouts under way"
    WALLET = "wallet", "wallet float"


class RunState(TextChoices):
    DRAFT = "draft", "waiting for approval"
    APPROVED = "approved", "being paid"
    DONE = "done", "done"
    CANCELLED = "cancelled", "cancelled"


RUN_MOVES: dict[str, frozenset[str]] = {
    RunState.DRAFT: frozenset({RunState.APPROVED, RunState.CANCELLED}),
    RunState.APPROVED: frozenset({RunState.DONE}),
    RunState.DONE: frozenset(),
    RunState.CANCELLED: frozenset(),
}


class PayoutState(TextChoices):
    DRAFT = "draft", "in a draft run"
    QUEUED = "queued", "approved, to be sent"
    SENDING = "sending", "being sent"
    ACCEPTED = "accepted", "accepted by the wallet, result awaited"
    UNKNOWN = "unknown", "unknown: asking the wallet"
    REVIEW = "review", "unknown: a person must look"
    PAID = "paid", "paid"
    FAILED = "failed", "failed, not paid"
    CANCELLED = "cancelled", "cancelled"


# Money moves exactly once: nothing leads from unknown back to queued. Only a result or a
# status answer decides, or a second person's word once in review; a failed payout is paid
# again by a *new* payout. A receipt of the wallet is proof and outranks whatever we
# believed before, even "failed".
PAYOUT_MOVES: dict[str, frozenset[str]] = {
    PayoutState.DRAFT: frozenset({PayoutState.QUEUED, PayoutState.CANCELLED}),
    PayoutState.QUEUED: frozenset(
        {
            PayoutState.SENDING,
            PayoutState.PAID,
            # a restored backup says "to be sent", which was true when it was taken
            PayoutState.UNKNOWN,
        }
    ),
    PayoutState.SENDING: frozenset(
        {
            # back to the queue only when the wallet never got the request
            PayoutState.QUEUED,
            PayoutState.ACCEPTED,
            PayoutState.UNKNOWN,
            PayoutState.REVIEW,
            PayoutState.PAID,
            PayoutState.FAILED,
        }
    ),
    PayoutState.ACCEPTED: frozenset(
        {
            PayoutState.PAID,
            PayoutState.FAILED,
            PayoutState.UNKNOWN,
            PayoutState.REVIEW,
        }
    ),
    PayoutState.UNKNOWN: frozenset(
        {PayoutState.PAID, PayoutState.FAILED, PayoutState.REVIEW}
    ),
    PayoutState.REVIEW: frozenset({PayoutState.PAID, PayoutState.FAILED}),
    PayoutState.PAID: frozenset(),
    PayoutState.FAILED: frozenset({PayoutState.PAID}),
    PayoutState.CANCELLED: frozenset(),
}
# Approved and not yet decided: the amount is in the account "payouts under way".
PAYOUT_UNDER_WAY = (
    PayoutState.QUEUED,
    PayoutState.SENDING,
    PayoutState.ACCEPTED,
    PayoutState.UNKNOWN,
    PayoutState.REVIEW,
)
# Nothing more will happen by itself.
PAYOUT_FINAL = (PayoutState.PAID, PayoutState.FAILED, PayoutState.CANCELLED)
# Only the wallet can say what became of it.
PAYOUT_UNCLEAR = (PayoutState.UNKNOWN, PayoutState.REVIEW)


class HoldReason(TextChoices):
    """Why a part of what is owed is not in a run. It stays owed."""

    CENTS = "cents", "the wallet pays whole shillings: the cents wait"
    MINIMUM = "minimum", "below the wallet's minimum of KES 10"
    PHONE = "phone", "the workshop's phone cannot receive mobile money"
    CURRENCY = "currency", "the wallet pays Kenyan shillings only"
    OVERPAID = "overpaid", "paid before by mistake: kept back"


class QueryState(TextChoices):
    """States of a status query, an outbox row of its own."""

    QUEUED = "queued", "to be asked"
    SENDING = "sending", "being asked"
    ASKED = "asked", "asked, answer awaited"
    ANSWERED = "answered", "answered"
    FAILED = "failed", "could not be asked"
    DROPPED = "dropped", "no longer needed"
