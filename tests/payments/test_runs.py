"""Runs: what is in them to the cent, two people, and payables in one run at a time."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from payments.enums import HoldReason, PayoutState, RunState
from payments.limits import WALLET_MAX_MINOR, WALLET_MIN_MINOR
from payments.models import (
    Hold,
    Payable,
    Payout,
    PayoutRun,
    StatusQuery,
    WalletCallback,
)
from payments.planning import plan_workshop
from payments.queries import book_differences, owed_to
from payments.services.runs import approve_run, cancel_run
from tests.builders import SYSTEM, Network
from tests.payments.conftest import approved, run_of
from vrp.accounts.models import User
from vrp.errors import IllegalMove, Invalid, NotAllowed
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant

PHONE = "+254712000017"
SHILLING = 100


def plan(*minor: int, owed: int = -1, phone: str = PHONE, currency: str = "KES"):  # type: ignore[no-untyped-def]
    parts = list(enumerate(minor, start=1))
    owed = sum(minor) if owed < 0 else owed
    return plan_workshop(parts, owed_minor=owed, phone=phone, currency=currency)


@pytest.mark.parametrize(
    ("minor", "amounts", "holds"),
    [
        ([], [], {}),
        ([5_152_000], [5_152_000], {}),
        ([31_200_000], [25_000_000, 6_200_000], {}),
        ([20_000_000, 11_200_000], [25_000_000, 6_200_000], {}),
        ([100_037], [100_000], {HoldReason.CENTS: 37}),
        ([999], [], {HoldReason.MINIMUM: 999}),
        ([50], [], {HoldReason.CENTS: 50}),
        ([1_000], [1_000], {}),
        ([25_000_500], [25_000_000], {HoldReason.MINIMUM: 500}),
        ([50_001_050], [25_000_000, 25_000_000, 1_000], {HoldReason.CENTS: 50}),
    ],
)
def test_amounts_the_wallet_can_carry(
    minor: list[int], amounts: list[int], holds: dict[HoldReason, int]
) -> None:
    found = plan(*minor)
    assert found.amounts == amounts
    assert found.holds == holds


@pytest.mark.parametrize("phone", ["+254202345678", "+251911000000", "", "0712345678"])
def test_a_phone_without_a_wallet(phone: str) -> None:
    assert plan(5_000, phone=phone).holds == {HoldReason.PHONE: 5_000}


def test_another_currency_and_what_was_paid_twice() -> None:
    assert plan(5_000, currency="ETB").holds == {HoldReason.CURRENCY: 5_000}
    found = plan(5_000, 5_000, owed=7_000)
    assert found.amounts == [7_000]
    assert found.holds == {HoldReason.OVERPAID: 3_000}
    assert plan(5_000, owed=0).amounts == []


@given(
    st.lists(st.integers(1, 40_000_000), max_size=8),
    st.integers(0, 120_000_000),
)
def test_every_cent_is_sent_or_held(minor: list[int], owed: int) -> None:
    found = plan(*minor, owed=owed)
    assert found.net_minor + found.held_minor == found.gross_minor == sum(minor)
    assert found.net_minor <= max(0, owed)
    for amount in found.amounts:
        assert WALLET_MIN_MINOR <= amount <= WALLET_MAX_MINOR
        assert amount % SHILLING == 0
    taken: dict[int, int] = {}
    for parts in found.payouts:
        for payable, part in parts:
            assert part > 0
            taken[payable] = taken.get(payable, 0) + part
    assert all(part <= minor[payable - 1] for payable, part in taken.items())


pytestmark = pytest.mark.django_db


def test_a_run_takes_what_is_open_and_leaves_the_rest(
    tenant: Tenant, network: Network, graded: Callable[..., Payable], maker: User
) -> None:
    first, second = graded(92), graded(558, network.horn[1])
    network.horn[2].phone = "+254202345678"
    network.horn[2].save()
    graded(40, network.horn[2])
    run = run_of(tenant, maker)
    amounts = [payout.amount_minor for payout in run.payouts.order_by("id")]
    assert amounts == [5_152_000, 25_000_000, 6_248_000]
    held = Hold.objects.get()
    assert (held.workshop, held.reason) == (network.horn[2], HoldReason.PHONE)
    assert run.total_minor + held.amount_minor == run.gross_minor
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.open_minor, second.open_minor) == (0, 0)
    # Nothing is posted before a second person agrees.
    assert owed_to(network.horn[0]) == 5_152_000
    assert book_differences() == []
    with pytest.raises(Invalid):
        run_of(tenant, maker)


def test_a_choice_of_workshops_and_days(
    tenant: Tenant, network: Network, graded: Callable[..., Payable], maker: User
) -> None:
    graded(30)
    graded(31, network.horn[1])
    Payable.objects.filter(workshop=network.horn[0]).update(
        at=dt.datetime(2026, 1, 31, 20, 59, tzinfo=dt.UTC)
    )
    with pytest.raises(Invalid):
        run_of(tenant, maker, up_to=dt.date(2026, 1, 30))
    run = run_of(tenant, maker, up_to=dt.date(2026, 1, 31))
    # 20:59 UTC is 23:59 in Nairobi: the 31st.
    assert [payout.workshop for payout in run.payouts.all()] == [network.horn[0]]
    with pytest.raises(Invalid, match="changed"):
        run_of(tenant, maker, expected_minor=1)
    with pytest.raises(Invalid, match="nothing"):
        run_of(tenant, maker, workshop_ids=[network.horn[0].pk])
    again = run_of(tenant, maker, workshop_ids=[network.horn[1].pk])
    assert again.total_minor == 31 * 56_000


def test_two_people_and_the_exact_total(
    tenant: Tenant, graded: Callable[..., Payable], maker: User, checker: User
) -> None:
    graded(30)
    run = run_of(tenant, maker)
    total = run.total_minor

    def approve(who: User, minor: int) -> PayoutRun:
        return approve_run(
            run=run, approver=who, total_minor=minor, actor=Actor.user(who)
        )

    with pytest.raises(NotAllowed):
        approve(maker, total)
    with pytest.raises(Invalid) as wrong:
        approve(checker, total - 100)
    assert str(total) not in wrong.value.message
    assert str(total // 100) not in wrong.value.message
    run.refresh_from_db()
    assert run.state == RunState.DRAFT
    assert approve(checker, total).state == RunState.APPROVED
    assert approve(checker, total).state == RunState.APPROVED, "twice is once"
    assert book_differences() == []
    with pytest.raises(IllegalMove):
        cancel_run(run=run, actor=SYSTEM)


def test_the_database_refuses_one_person_in_both_parts(
    tenant: Tenant, graded: Callable[..., Payable], maker: User
) -> None:
    graded(30)
    run_of(tenant, maker)
    with (
        pytest.raises(IntegrityError, match="maker_is_not_checker"),
        transaction.atomic(),
    ):
        PayoutRun.objects.update(approved_by=maker)
    with pytest.raises(IntegrityError, match="only_if_approved"), transaction.atomic():
        PayoutRun.objects.update(state=RunState.APPROVED)


def test_a_cancelled_run_frees_what_was_in_it(
    tenant: Tenant, graded: Callable[..., Payable], maker: User, checker: User
) -> None:
    payable = graded(558)
    run = run_of(tenant, maker)
    cancel_run(run=run, actor=SYSTEM, reason="wrong week")
    cancel_run(run=run, actor=SYSTEM)
    payable.refresh_from_db()
    assert payable.open_minor == payable.amount_minor
    assert book_differences() == []
    with pytest.raises(IllegalMove):
        approve_run(
            run=run, approver=checker, total_minor=run.total_minor, actor=SYSTEM
        )
    assert approved(tenant, maker, checker).total_minor == payable.amount_minor


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE payments_payout SET amount_minor = 1", "fixed"),
        ("UPDATE payments_payout SET phone = '+254700000000'", "fixed"),
        ("UPDATE payments_payout SET receipt = 'OTHER12345'", "never overwritten"),
        ("UPDATE payments_payout SET state = 'queued'", "paid stays paid"),
        ("DELETE FROM payments_payoutrun", "never deleted"),
        ("DELETE FROM payments_payout", "never deleted"),
        ("DELETE FROM payments_payoutline", "never deleted"),
        ("DELETE FROM payments_payable", "never deleted"),
        ("DELETE FROM payments_hold", "never deleted"),
        ("DELETE FROM payments_statusquery", "never deleted"),
        ("DELETE FROM payments_walletcallback", "never deleted"),
        ("UPDATE payments_payoutrun SET made_by_id = 7", "by whom, is fixed"),
        ("UPDATE payments_payoutrun SET total_minor = 1", "by whom, is fixed"),
        ("UPDATE payments_payoutrun SET approved_by_id = 7", "approved it"),
        ("UPDATE payments_payoutrun SET approved_at = now()", "approved it"),
        (
            "UPDATE payments_payoutrun SET state = 'draft', approved_by_id = NULL",
            "approved it",
        ),
        ("UPDATE payments_payable SET open_minor = amount_minor", "said to be open"),
        (
            "UPDATE payments_payable SET items = 1, amount_minor = piece_rate_minor",
            "earned is fixed",
        ),
        ("UPDATE payments_payoutline SET is_live = false", "its payment is paid"),
        ("UPDATE payments_payoutline SET amount_minor = 1", "it covers is fixed"),
    ],
)
def test_the_database_keeps_what_was_sent(
    sql: str,
    words: str,
    tenant: Tenant,
    graded: Callable[..., Payable],
    maker: User,
    checker: User,
) -> None:
    graded(30)
    run = approved(tenant, maker, checker)
    Payout.objects.update(state=PayoutState.PAID, receipt="ABC1234567")
    payout = Payout.objects.get()
    told = {"tenant": tenant, "payout": payout}
    StatusQuery.objects.create(**told, due_at=payout.due_at)
    WalletCallback.objects.create(**told, kind="result", body="{}", fingerprint="x")
    Hold.objects.create(
        tenant=tenant,
        run=run,
        workshop=payout.workshop,
        reason=HoldReason.OVERPAID,
        amount_minor=1,
    )

    @transaction.atomic
    def attempt() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)
        connection.check_constraints()

    with pytest.raises(DatabaseError, match=words):
        attempt()


def test_no_payable_can_be_taken_twice(
    tenant: Tenant, graded: Callable[..., Payable]
) -> None:
    payable = graded(30)
    for minor in (-1, payable.amount_minor + 1):
        with pytest.raises(IntegrityError, match="open_within"), transaction.atomic():
            Payable.objects.update(open_minor=minor)
