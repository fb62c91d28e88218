"""Making, approving and cancelling payout runs: two people for every shilling."""

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from payments.enums import (
    PAYOUT_FINAL,
    RUN_MOVES,
    AccountKind,
    PayoutState,
    RunState,
)
from payments.models import Account, Hold, Payable, Payout, PayoutLine, PayoutRun
from payments.queries.preview import PreviewLine, preview_run, today_of
from payments.services.apart import check_apart
from payments.services.ledger import NewEntry, account, post_entries
from vrp.accounts.models import User
from vrp.errors import IllegalMove, Invalid, NotAllowed
from vrp.events.outbox import enqueue
from vrp.events.services import Actor, record
from vrp.tenancy.models import Tenant
from vrp.tenancy.numbers import next_number


@transaction.atomic
def make_run(
    *,
    tenant: Tenant,
    made_by: User,
    actor: Actor,
    up_to: dt.date | None = None,
    workshop_ids: Collection[int] | None = None,
    expected_minor: int | None = None,
) -> PayoutRun:
    """Gather what is open up to a date (default today) into a run that waits for approval.

    One payout per workshop and wallet phone, more where the wallet's maximum demands it.
    What the wallet cannot carry is held, with its reason, and stays owed. Nothing is
    posted yet. ``expected_minor`` is the total a person has seen in a preview.

    Raises ``Invalid`` when nothing can be paid, or when the total is another by now.
    """
    preview = preview_run(
        tenant,
        up_to=up_to or today_of(tenant),
        workshop_ids=workshop_ids,
        lock=True,
    )
    if not preview.net_minor:
        raise Invalid("There is nothing that can be paid now.")
    if expected_minor is not None and expected_minor != preview.net_minor:
        raise Invalid(
            "What is owed has changed since you opened this page. Look at it again."
        )
    run = PayoutRun.objects.create(
        tenant=tenant,
        number=next_number(tenant, "payout_run"),
        currency=preview.currency,
        up_to=preview.up_to,
        gross_minor=preview.gross_minor,
        total_minor=preview.net_minor,
        made_by=made_by,
    )
    _take(run, preview.lines)
    record(
        "run.made",
        subject=run,
        actor=actor,
        data={
            "number": run.number,
            "payouts": preview.payouts,
            "total_minor": run.total_minor,
        },
    )
    return run


def _take(run: PayoutRun, lines: list[PreviewLine]) -> None:
    """Write payouts, their lines and the holds; take the parts from the payables."""
    payouts, parts, holds = [], [], []
    for line in lines:
        for wanted in line.plan.payouts:
            payouts.append(
                Payout(
                    tenant=run.tenant,
                    run=run,
                    workshop=line.workshop,
                    phone=line.workshop.phone,
                    amount_minor=sum(minor for _, minor in wanted),
                    currency=run.currency,
                )
            )
            parts.append(wanted)
        holds += [
            Hold(
                tenant=run.tenant,
                run=run,
                workshop=line.workshop,
                reason=reason,
                amount_minor=minor,
            )
            for reason, minor in line.plan.holds.items()
        ]
    Payout.objects.bulk_create(payouts)
    Hold.objects.bulk_create(holds)
    PayoutLine.objects.bulk_create(
        PayoutLine(
            tenant=run.tenant, payout=payout, payable_id=payable_id, amount_minor=minor
        )
        for payout, wanted in zip(payouts, parts, strict=True)
        for payable_id, minor in wanted
    )
    taken: dict[int, int] = {}
    for wanted in parts:
        for payable_id, minor in wanted:
            taken[payable_id] = taken.get(payable_id, 0) + minor
    rows = list(Payable.objects.filter(pk__in=taken))
    for row in rows:
        row.open_minor -= taken[row.pk]
    Payable.objects.bulk_update(rows, ["open_minor"], batch_size=500)


@transaction.atomic
def approve_run(
    *, run: PayoutRun, approver: User, total_minor: int, actor: Actor
) -> PayoutRun:
    """Approve: another person than the maker types the total; the payouts leave.

    Per payout: debit owed to the workshop, credit payouts under way. Approving again is
    a no-op. Raises ``NotAllowed`` for the maker and for two who are not apart
    (``check_apart``), ``Invalid`` for another total and ``IllegalMove`` for a cancelled
    run.
    """
    run = _locked(run)
    if run.made_by_id == approver.pk:
        raise NotAllowed("You made this run: another person has to approve it.")
    if run.state in (RunState.APPROVED, RunState.DONE):
        return run
    _check_move(run, RunState.APPROVED)
    check_apart(run.tenant, run.made_by, approver)
    if total_minor != run.total_minor:
        raise Invalid(
            "This is not the total of the run. Compare your list with it again.",
            field="total",
        )
    now = timezone.now()
    run.state, run.approved_by, run.approved_at = RunState.APPROVED, approver, now
    run.save(update_fields=["state", "approved_by", "approved_at"])
    payouts = list(run.payouts.select_related("workshop").order_by("id"))
    run.payouts.filter(state=PayoutState.DRAFT).update(
        state=PayoutState.QUEUED, due_at=now
    )
    _post_as_under_way(run, payouts)
    for payout in payouts:
        enqueue("payout", payout)
    record(
        "run.approved",
        subject=run,
        actor=actor,
        data={"number": run.number, "total_minor": run.total_minor},
    )
    return run


def _post_as_under_way(run: PayoutRun, payouts: list[Payout]) -> None:
    transit = account(run.tenant, AccountKind.IN_TRANSIT, run.currency)
    owed = {
        one.workshop_id: one
        for one in Account.objects.filter(
            kind=AccountKind.WORKSHOP,
            currency=run.currency,
            workshop_id__in={payout.workshop_id for payout in payouts},
        )
    }
    post_entries(
        tenant=run.tenant,
        currency=run.currency,
        wanted=[
            NewEntry(
                cause=f"payout:{payout.pk}:approved",
                memo=f"{run}: payment to {payout.workshop.code} approved",
                legs=[
                    (owed[payout.workshop_id], payout.amount_minor),
                    (transit, -payout.amount_minor),
                ],
            )
            for payout in payouts
        ],
    )


@transaction.atomic
def cancel_run(*, run: PayoutRun, actor: Actor, reason: str = "") -> PayoutRun:
    """Cancel a run that waits for approval; its payables are free again."""
    run = _locked(run)
    if run.state == RunState.CANCELLED:
        return run
    _check_move(run, RunState.CANCELLED)
    run.state = RunState.CANCELLED
    run.save(update_fields=["state"])
    run.payouts.update(state=PayoutState.CANCELLED, settled_at=timezone.now())
    release_lines(PayoutLine.objects.filter(payout__run=run, is_live=True))
    record(
        "run.cancelled",
        subject=run,
        actor=actor,
        reason=reason.strip(),
        data={"number": run.number},
    )
    return run


def release_lines(lines: QuerySet[PayoutLine]) -> None:
    """Give the parts of these live lines back to their payables."""
    given: dict[int, int] = {}
    for payable_id, minor in lines.values_list("payable_id", "amount_minor"):
        given[payable_id] = given.get(payable_id, 0) + minor
    for payable_id in sorted(given):
        Payable.objects.filter(pk=payable_id).update(
            open_minor=F("open_minor") + given[payable_id]
        )
    lines.update(is_live=False)


@transaction.atomic
def close_if_settled(*, run_id: int, actor: Actor) -> bool:
    """End an approved run of which every payout is final. Whether it ended now."""
    run = PayoutRun.objects.select_for_update(of=("self",)).get(pk=run_id)
    waiting = run.payouts.exclude(state__in=PAYOUT_FINAL).exists()
    if run.state != RunState.APPROVED or waiting:
        return False
    run.state, run.done_at = RunState.DONE, timezone.now()
    run.save(update_fields=["state", "done_at"])
    counts = run.payouts.aggregate(
        paid=Count("id", filter=Q(state=PayoutState.PAID)),
        failed=Count("id", filter=Q(state=PayoutState.FAILED)),
    )
    record("run.done", subject=run, actor=actor, data={"number": run.number, **counts})
    return True


def _locked(run: PayoutRun) -> PayoutRun:
    rows = PayoutRun.objects.select_for_update(of=("self",))
    return rows.select_related("tenant").get(pk=run.pk)


def _check_move(run: PayoutRun, state: RunState) -> None:
    if state not in RUN_MOVES[run.state]:
        raise IllegalMove(f"{run} is {run.get_state_display()}: that cannot be done.")
