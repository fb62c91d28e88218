"""Where a payout comes to an outcome: the one place that moves money in the books.

Every function is called with the payout's row locked, inside the caller's transaction.
Ledger: approval moved the amount from *owed* to *under way*; paid moves it from under
way to the wallet float; failed reverses the approval. A receipt of the wallet is proof:
it wins over an earlier "failed".
"""

from django.db.models import F
from django.utils import timezone

from payments.enums import (
    PAYOUT_FINAL,
    PAYOUT_MOVES,
    AccountKind,
    PayoutState,
    QueryState,
)
from payments.limits import QUERY_AFTER
from payments.models import Entry, Payable, Payout, PayoutLine, StatusQuery
from payments.services.ledger import account, post_entry, reverse_entry
from payments.services.runs import close_if_settled, release_lines
from vrp.errors import IllegalMove
from vrp.events.services import Actor, record


def lock_payout(pk: int) -> Payout:
    """The payout with its row locked until the transaction ends."""
    rows = Payout.objects.select_for_update(of=("self",))
    return rows.select_related("tenant", "run", "workshop").get(pk=pk)


def move(payout: Payout, state: PayoutState) -> None:
    """Change the state in memory along the table of moves; the caller saves.

    Raises ``IllegalMove`` for a move that is not in the table.
    """
    if state not in PAYOUT_MOVES[payout.state]:
        raise IllegalMove(
            f"Payment {payout.pk} is {payout.get_state_display()}: it cannot become "
            f"{state.label}."
        )
    payout.state, payout.leased_until = state, None


def mark_paid(payout: Payout, *, receipt: str, actor: Actor) -> None:
    """The wallet has paid, with this receipt."""
    was_failed = payout.state == PayoutState.FAILED
    move(payout, PayoutState.PAID)
    payout.receipt, payout.result_code = receipt, "0"
    payout.settled_at, payout.last_error = timezone.now(), ""
    payout.save()
    twice = _take_back(payout) if was_failed else 0
    tenant, currency = payout.tenant, payout.currency
    wallet = account(tenant, AccountKind.WALLET, currency)
    source = (
        account(tenant, AccountKind.WORKSHOP, currency, payout.workshop)
        if was_failed
        else account(tenant, AccountKind.IN_TRANSIT, currency)
    )
    post_entry(
        tenant=tenant,
        cause=f"payout:{payout.pk}:paid",
        memo=f"{payout.run}: {payout.workshop.code} paid, receipt {receipt}",
        legs=[(source, payout.amount_minor), (wallet, -payout.amount_minor)],
        currency=currency,
    )
    data: dict[str, str | int] = {
        "amount_minor": payout.amount_minor,
        "receipt": receipt,
    }
    if twice:
        data["overpaid_minor"] = twice
    _finish(payout, "payout.paid", actor, data)


def mark_failed(payout: Payout, *, code: str, words: str, actor: Actor) -> None:
    """The wallet has not paid and will not: what it covered is owed and free again."""
    move(payout, PayoutState.FAILED)
    payout.result_code, payout.last_error = code[:20], words[:500]
    payout.settled_at = timezone.now()
    payout.save()
    reverse_entry(
        entry=Entry.objects.get(cause=f"payout:{payout.pk}:approved"),
        cause=f"payout:{payout.pk}:failed",
        memo=f"{payout.run}: payment to {payout.workshop.code} failed ({code})",
    )
    release_lines(PayoutLine.objects.filter(payout=payout, is_live=True))
    data: dict[str, str | int] = {
        "amount_minor": payout.amount_minor,
        "code": payout.result_code,
    }
    _finish(payout, "payout.failed", actor, data)


def mark_unknown(payout: Payout, *, why: str, actor: Actor) -> None:
    """Nobody knows whether it was paid: ask the wallet, at growing distances."""
    if payout.state in (PayoutState.UNKNOWN, PayoutState.REVIEW):
        return
    move(payout, PayoutState.UNKNOWN)
    now = timezone.now()
    payout.unknown_at, payout.last_error = now, why[:500]
    payout.save()
    StatusQuery.objects.bulk_create(
        StatusQuery(tenant=payout.tenant, payout=payout, due_at=now + pause)
        for pause in QUERY_AFTER
    )
    record("payout.unknown", subject=payout, actor=actor, reason=payout.last_error)


def mark_review(payout: Payout, *, why: str, actor: Actor) -> None:
    """The wallet did not decide it: a person must look."""
    if payout.state == PayoutState.REVIEW:
        return
    move(payout, PayoutState.REVIEW)
    payout.last_error = why[:500]
    payout.save()
    record("payout.review", subject=payout, actor=actor, reason=payout.last_error)


def _finish(
    payout: Payout, event: str, actor: Actor, data: dict[str, str | int]
) -> None:
    StatusQuery.objects.filter(payout=payout, state=QueryState.QUEUED).update(
        state=QueryState.DROPPED
    )
    data |= {"run": payout.run.number, "workshop": payout.workshop.code}
    record(event, subject=payout, actor=actor, data=data)
    if payout.state in PAYOUT_FINAL:
        close_if_settled(run_id=payout.run_id, actor=actor)


def _take_back(payout: Payout) -> int:
    """Cover a payment that was paid after all; returns what other payouts took since.

    What cannot be taken back has been paid, or is being paid, a second time: the ledger
    shows it, and later runs keep it back (``HoldReason.OVERPAID``).
    """
    missing = 0
    for line in payout.lines.order_by("payable_id"):
        payable = Payable.objects.select_for_update().get(pk=line.payable_id)
        taken = min(payable.open_minor, line.amount_minor)
        missing += line.amount_minor - taken
        if taken:
            Payable.objects.filter(pk=payable.pk).update(
                open_minor=F("open_minor") - taken
            )
            PayoutLine.objects.filter(pk=line.pk).update(
                amount_minor=taken, is_live=True
            )
    return missing
