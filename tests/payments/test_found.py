"""Payments that a restore has forgotten: noted from the statement, never made again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from payments.enums import PayoutState, RunState
from payments.models import Payable, Payout
from payments.queries import book_differences, trial_balance
from payments.services.found import note_found
from payments.services.runs import cancel_run
from tests.builders import SYSTEM, Network
from tests.payments.conftest import approved, run_of
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.errors import Conflict, IllegalMove, Invalid, NotAllowed
from vrp.events import outbox
from vrp.events.models import SendingPause
from vrp.events.pausing import pause_after_restore, resume
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db
RECEIPT = "TKT7ABCDE1"


@pytest.fixture
def note(
    tenant: Tenant, network: Network, maker: User, checker: User
) -> Callable[..., Payout]:
    pause_after_restore(tenant=tenant, reason="restored", actor=SYSTEM)

    def do(minor: int, **more: Any) -> Payout:
        values: dict[str, Any] = {
            "tenant": tenant, "workshop": network.horn[0], "amount_minor": minor,
            "receipt": RECEIPT, "found_by": maker, "checked_by": checker,
            "actor": Actor.user(maker),
        } | more  # fmt: skip
        return note_found(**values)

    return do


def test_what_the_statement_shows_is_not_owed_any_more(
    tenant: Tenant,
    maker: User,
    graded: Callable[..., Payable],
    note: Callable[..., Payout],
) -> None:
    payable = graded(40)
    payout = note(payable.amount_minor)
    assert (payout.state, payout.receipt) == (PayoutState.PAID, RECEIPT)
    assert payout.run.state == RunState.DONE
    payable.refresh_from_db()
    assert payable.open_minor == 0
    with pytest.raises(Invalid, match="nothing that can be paid"):
        run_of(tenant, maker)
    assert note(payable.amount_minor).pk == payout.pk, "told twice, noted once"
    assert book_differences() == []
    assert trial_balance().off == {}


def test_more_than_is_owed_is_kept_back_later(
    tenant: Tenant,
    maker: User,
    graded: Callable[..., Payable],
    note: Callable[..., Payout],
) -> None:
    note(graded(40).amount_minor + 1_000_00)
    later = graded(40)
    run = run_of(tenant, maker)
    assert run.total_minor == later.amount_minor - 1_000_00
    assert book_differences() == []


def test_only_after_a_restore(
    tenant: Tenant, graded: Callable[..., Payable], note: Callable[..., Payout]
) -> None:
    payable = graded(40)
    resume(tenant=tenant, names=["payout"], note="compared", actor=SYSTEM)
    with pytest.raises(IllegalMove, match="not paused"):
        note(payable.amount_minor)


def test_two_people_with_the_right(
    person: Callable[..., User],
    maker: User,
    checker: User,
    graded: Callable[..., Payable],
    note: Callable[..., Payout],
) -> None:
    minor = graded(40).amount_minor
    for more in (
        {"checked_by": maker},
        {"checked_by": person(Role.QC)},
        {"found_by": person(Role.PLANNER)},
    ):
        with pytest.raises(NotAllowed):
            note(minor, **more)
    assert not Payout.objects.exists()


def test_not_while_a_payment_of_hers_is_undecided(
    tenant: Tenant,
    maker: User,
    graded: Callable[..., Payable],
    note: Callable[..., Payout],
) -> None:
    minor = graded(40).amount_minor
    draft = run_of(tenant, maker)
    with pytest.raises(IllegalMove, match="not decided"):
        note(minor)
    cancel_run(run=draft, actor=SYSTEM)
    assert note(minor).state == PayoutState.PAID


def test_a_receipt_belongs_to_one_payment(
    network: Network, graded: Callable[..., Payable], note: Callable[..., Payout]
) -> None:
    minor = graded(40).amount_minor
    note(minor)
    with pytest.raises(Conflict):
        note(minor, workshop=network.horn[1])
    with pytest.raises(Invalid):
        note(minor, receipt="'; DROP")


def test_a_paused_payout_is_not_taken(
    tenant: Tenant,
    maker: User,
    checker: User,
    graded: Callable[..., Payable],
    note: Callable[..., Payout],
) -> None:
    graded(40)
    payout = approved(tenant, maker, checker).payouts.get()
    assert outbox.run("payout", payout.pk) is False
    payout.refresh_from_db()
    assert (payout.state, payout.attempts) == (PayoutState.QUEUED, 0)
    SendingPause.objects.all().delete()
    claimed = outbox.claim(outbox._outboxes["payout"], payout.pk)
    assert claimed is not None


def test_by_command(
    graded: Callable[..., Payable], note: Callable[..., Payout], maker: User,
    checker: User, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    payable = graded(40)
    words = {
        "tenant": "soko", "workshop": "W-017", "receipt": RECEIPT,
        "found_by": maker.username, "checked_by": checker.username,
    }  # fmt: skip
    with pytest.raises(CommandError, match="Write the amount"):
        call_command("note_payment", amount="1e3", **words)
    call_command("note_payment", amount=str(payable.amount_minor // 100), **words)
    assert "paid, TKT7ABCDE1" in capsys.readouterr().out
