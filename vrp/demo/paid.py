"""What the past half year earned: ledger entries, and one payout run a month."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from artisans.models import Workshop
from orders.models import Job
from payments.enums import AccountKind, PayoutState, RunState
from payments.models import Entry, Payable, Payout, PayoutLine, PayoutRun, Posting
from payments.services.ledger import account
from qc.models import Inspection
from vrp.demo.story import Past
from vrp.events.services import Actor
from vrp.tenancy.numbers import next_number


def pay_monthly(past: Past) -> None:
    """Post what was earned, and pay it in one run a month."""
    months: dict[tuple[int, int], list[Payable]] = defaultdict(list)
    for inspection, job in sorted(past.payables, key=lambda pair: pair[0].at):
        payable = _payable(past, inspection, job)
        months[payable.at.year, payable.at.month].append(payable)
    for month in sorted(months):
        _run(past, months[month])


def _entry(
    past: Past, cause: str, memo: str, at: datetime, legs: list[tuple[Any, int]]
) -> Entry:
    entry = Entry.objects.create(tenant=past.tenant, cause=cause, memo=memo, at=at)
    Posting.objects.bulk_create(
        Posting(
            tenant=past.tenant,
            entry=entry,
            account=to,
            amount_minor=minor,
            currency=past.tenant.currency,
        )
        for to, minor in legs
    )
    return entry


def _accounts(past: Past, shop: Workshop) -> tuple[Any, Any, Any, Any]:
    tenant, currency = past.tenant, past.tenant.currency
    return (
        account(tenant, AccountKind.PIECE_WORK, currency),
        account(tenant, AccountKind.WORKSHOP, currency, shop),
        account(tenant, AccountKind.IN_TRANSIT, currency),
        account(tenant, AccountKind.WALLET, currency),
    )


def _payable(past: Past, inspection: Inspection, job: Job) -> Payable:
    amount = inspection.accepted * job.piece_rate_minor
    cost, owed, _, _ = _accounts(past, job.workshop)
    entry = _entry(
        past,
        f"inspection:{inspection.pk}",
        f"Job {job.number}, {inspection.batch}: {inspection.accepted} accepted",
        inspection.at,
        [(cost, amount), (owed, -amount)],
    )
    return Payable.objects.create(
        tenant=past.tenant,
        workshop=job.workshop,
        inspection=inspection,
        items=inspection.accepted,
        piece_rate_minor=job.piece_rate_minor,
        amount_minor=amount,
        open_minor=0,
        currency=job.currency,
        entry=entry,
        at=inspection.at,
    )


def _run(past: Past, payables: list[Payable]) -> None:
    at = max(row.at for row in payables) + timedelta(hours=5)
    total = sum(row.amount_minor for row in payables)
    run = PayoutRun.objects.create(
        tenant=past.tenant,
        number=next_number(past.tenant, "payout_run"),
        state=RunState.DONE,
        currency=past.tenant.currency,
        up_to=at.date(),
        gross_minor=total,
        total_minor=total,
        made_by=past.staff["mary"],
        made_at=at,
        approved_by=past.staff["daniel"],
        approved_at=at + timedelta(minutes=20),
        done_at=at + timedelta(minutes=24),
    )
    by_shop: dict[Workshop, list[Payable]] = defaultdict(list)
    for row in payables:
        by_shop[row.workshop].append(row)
    for shop, rows in by_shop.items():
        _payout(past, run, shop, rows)
    past.note("run.done", run, run.done_at or at, Actor.user(past.staff["daniel"]))


def _payout(past: Past, run: PayoutRun, shop: Workshop, rows: list[Payable]) -> None:
    amount = sum(row.amount_minor for row in rows)
    approved = run.approved_at or run.made_at
    receipt = f"T{past.rng.choice('ABCDEFGHJK')}{past.rng.randint(10**7, 10**8 - 1)}"
    payout = Payout.objects.create(
        tenant=past.tenant,
        run=run,
        workshop=shop,
        phone=shop.phone,
        amount_minor=amount,
        currency=run.currency,
        state=PayoutState.PAID,
        attempts=1,
        due_at=approved,
        receipt=receipt,
        result_code="0",
        conversation_id=f"AG_{run.number}_{shop.code}",
        sent_at=approved,
        settled_at=approved + timedelta(minutes=2),
    )
    PayoutLine.objects.bulk_create(
        PayoutLine(
            tenant=past.tenant,
            payout=payout,
            payable=row,
            amount_minor=row.amount_minor,
        )
        for row in rows
    )
    _, owed, transit, wallet = _accounts(past, shop)
    _entry(
        past,
        f"payout:{payout.pk}:approved",
        f"{run}: payment to {shop.code} approved",
        approved,
        [(owed, amount), (transit, -amount)],
    )
    _entry(
        past,
        f"payout:{payout.pk}:paid",
        f"{run}: {shop.code} paid, receipt {receipt}",
        approved + timedelta(minutes=2),
        [(transit, amount), (wallet, -amount)],
    )
    past.note(
        "payout.paid",
        payout,
        approved + timedelta(minutes=2),
        Actor.carrier("mpesa"),
        amount_minor=amount,
        receipt=receipt,
    )
