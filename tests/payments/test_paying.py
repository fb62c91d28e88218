"""Payments against the wallet stand-in, over real HTTP, with all its misbehaviour."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from artisans.models import Workshop
from payments.daraja import Accepted, Daraja, NotSent, Refused, Unknown
from payments.enums import PayoutState, QueryState, RunState
from payments.models import Payable, Payout, PayoutRun, StatusQuery, WalletCallback
from payments.queries import book_differences, last_payouts, on_its_way, owed_to
from payments.services.asking import ask_now, hand_to_people
from payments.services.declaring import declare_not_paid
from payments.services.payouts import chase_silent, credential_of, take_answer
from payments.services.results import clear_conflict
from payments.services.settling import lock_payout, mark_review, mark_unknown
from payments.services.wallet import start_channel
from tests.builders import SYSTEM, Network
from tests.payments.conftest import (
    Courier,
    approved,
    make_due,
    now_made_by,
    run_of,
    work_due,
)
from tests.payments.test_callbacks import result
from tests.standin import StandIn
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.errors import IllegalMove, Invalid, NotAllowed
from vrp.events import outbox
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def pay(
    tenant: Tenant,
    network: Network,
    graded: Callable[..., Payable],
    courier: Courier,
    maker: User,
    checker: User,
) -> Callable[..., Payout]:
    """``pay("506")``: an approved payout of KES 22,400 to a phone with that magic."""

    def make(magic: str = "", pieces: int = 40) -> Payout:
        if magic:
            Workshop.objects.filter(pk=network.horn[0].pk).update(
                phone=f"+254799910{magic}"
            )
        graded(pieces)
        return approved(tenant, maker, checker).payouts.get()

    return make


def state_of(payout: Payout) -> str:
    payout.refresh_from_db()
    assert book_differences() == []
    return payout.state


def wallet_of(standin: StandIn, payout: Payout) -> list[int]:
    return [row["amount"] for row in standin.wallet(payout.phone.removeprefix("+"))]


def test_graded_approved_sent_paid(
    pay: Callable[..., Payout], courier: Courier, standin: StandIn, network: Network
) -> None:
    payout = pay()
    assert owed_to(network.horn[0]) == 0
    assert on_its_way(network.horn[0]) == 40 * 56_000
    assert work_due() == 1
    assert state_of(payout) == PayoutState.ACCEPTED
    assert payout.conversation_id.startswith("AG_")
    courier.hand_on()
    assert courier.answers == [200]
    assert state_of(payout) == PayoutState.PAID
    paid = standin.wallet(payout.phone.removeprefix("+"))
    assert [row["amount"] for row in paid] == [22_400]
    assert payout.receipt == paid[0]["receipt"]
    assert payout.run.state == RunState.DONE
    assert last_payouts(network.horn[0], 3) == [payout]
    names = set(Event.objects.values_list("name", flat=True))
    assert {
        "run.made",
        "run.approved",
        "payout.sent",
        "payout.paid",
        "run.done",
    } <= names


def test_the_result_may_overtake_the_answer(
    pay: Callable[..., Payout], courier: Courier
) -> None:
    payout = pay("524")
    outbox.claim(outbox._outboxes["payout"], payout.pk)
    # The claim is there, the answer is not: hand the result on in between.
    payout.refresh_from_db()
    outcome = Daraja(credential_of(payout.tenant_id)).pay(payout, "early")
    courier.hand_on()
    assert state_of(payout) == PayoutState.PAID
    take_answer(payout.pk, outcome)
    assert state_of(payout) == PayoutState.PAID
    assert payout.conversation_id.startswith("AG_")


def test_time_out_unknown_asked_paid_late_twice_retry_refused(
    pay: Callable[..., Payout], courier: Courier, standin: StandIn
) -> None:
    """Walk D5 8-9: one payment in the wallet, whatever comes and whoever clicks."""
    payout = pay("502")
    work_due()
    assert state_of(payout) == PayoutState.UNKNOWN
    assert "No answer" in payout.last_error
    late = courier.wait(1)[0]
    courier.handed += 1
    work_due()
    assert outbox.run("payout", payout.pk) is False, "nobody sends it again"
    assert StatusQuery.objects.count() == 4
    ask_now(payout=payout, actor=SYSTEM)
    ask_now(payout=payout, actor=SYSTEM)
    assert StatusQuery.objects.count() == 5, "a double click asks once"
    work_due()
    courier.hand_on()
    assert state_of(payout) == PayoutState.PAID
    receipt = payout.receipt
    courier.post(*late)
    courier.post(*late)
    assert state_of(payout) == PayoutState.PAID
    assert payout.receipt == receipt
    assert WalletCallback.objects.filter(repeats=1).count() == 1
    with pytest.raises(IllegalMove):
        ask_now(payout=payout, actor=SYSTEM)
    assert not StatusQuery.objects.filter(state=QueryState.QUEUED).exists()
    make_due()
    assert work_due() == 0
    assert wallet_of(standin, payout) == [22_400]
    assert payout.run.state == RunState.DONE


@pytest.mark.parametrize("magic", ["503", "507", "521", "527"])
def test_paid_but_not_told_is_found_out(
    magic: str, pay: Callable[..., Payout], courier: Courier, standin: StandIn
) -> None:
    payout = pay(magic)
    work_due()
    if magic == "521":
        assert state_of(payout) == PayoutState.ACCEPTED
        assert chase_silent() == 0, "a result has three minutes"
        with time_machine.travel(timezone.now() + timedelta(minutes=4), tick=True):
            assert chase_silent() == 1
    elif magic == "527":
        courier.hand_on()
    else:
        courier.wait(1)
        courier.handed += 1
    assert state_of(payout) == PayoutState.UNKNOWN
    make_due()
    work_due()
    courier.hand_on()
    assert state_of(payout) == PayoutState.PAID
    assert wallet_of(standin, payout) == [22_400]


@pytest.mark.parametrize(
    ("magic", "code"),
    [("002", "2"), ("008", "8"), ("240", "2040"), ("103", "SFC_IC0003")],
)
def test_a_failure_frees_what_it_covered(
    magic: str,
    code: str,
    pay: Callable[..., Payout],
    courier: Courier,
    network: Network,
    standin: StandIn,
    maker: User,
    checker: User,
) -> None:
    payout = pay(magic)
    work_due()
    courier.hand_on()
    assert state_of(payout) == PayoutState.FAILED
    assert payout.result_code == code
    assert owed_to(network.horn[0]) == payout.amount_minor
    assert Payable.objects.get().open_minor == payout.amount_minor
    assert payout.run.state == RunState.DONE
    # The number is put right; the next run pays by a new payout with a new id.
    network.horn[0].phone = "+254712000017"
    network.horn[0].save()
    again = approved(network.tenant, maker, checker).payouts.get()
    assert again.originator_id != payout.originator_id
    work_due()
    courier.hand_on()
    assert state_of(again) == PayoutState.PAID
    assert state_of(payout) == PayoutState.FAILED
    assert owed_to(network.horn[0]) == 0


@pytest.mark.parametrize("magic", ["017", "026", "206"])
def test_a_code_nobody_explains_decides_nothing(
    magic: str, pay: Callable[..., Payout], courier: Courier, standin: StandIn
) -> None:
    payout = pay(magic)
    work_due()
    courier.hand_on()
    assert state_of(payout) == PayoutState.UNKNOWN
    make_due()
    work_due()
    courier.hand_on()
    assert state_of(payout) == PayoutState.FAILED, "the wallet says: declined"
    assert wallet_of(standin, payout) == []


@pytest.mark.parametrize("magic", ["504", "505", "506", "929", "950"])
def test_nothing_accepted_by_the_wallet(
    magic: str, pay: Callable[..., Payout], courier: Courier, standin: StandIn
) -> None:
    payout = pay(magic)
    work_due()
    safe = magic in ("505", "929")
    assert state_of(payout) == (PayoutState.QUEUED if safe else PayoutState.UNKNOWN)
    assert payout.last_error
    if safe:
        assert payout.due_at > timezone.now()
        make_due()
        assert work_due() == 1, "the same id may be sent again"
    else:
        make_due()
        assert work_due() == 4, "asked, not sent"
        courier.hand_on(4)
        # "Never heard of it" is not proof: the request may still be on its way.
        assert state_of(payout) == PayoutState.UNKNOWN
        assert hand_to_people() == 1
        assert state_of(payout) == PayoutState.REVIEW
        ask_now(payout=payout, actor=SYSTEM)
    assert wallet_of(standin, payout) == []


def ask_next(payout: Payout, *, minutes: int) -> None:
    """The next planned question, so many minutes after the payment became unknown."""
    now = timezone.now()
    Payout.objects.filter(pk=payout.pk).update(
        unknown_at=now - timedelta(minutes=minutes)
    )
    rows = StatusQuery.objects.filter(payout=payout, state=QueryState.QUEUED)
    StatusQuery.objects.filter(pk=rows.order_by("due_at")[0].pk).update(due_at=now)
    assert work_due() == 1


def test_dropped_never_heard_of_declared_not_paid_and_paid_by_a_new_run(
    pay: Callable[..., Payout],
    courier: Courier,
    standin: StandIn,
    network: Network,
    maker: User,
    checker: User,
) -> None:
    payout = pay()
    standin.faults({"wallet": {"do": "drop"}})
    work_due()
    standin.faults({})
    assert state_of(payout) == PayoutState.UNKNOWN
    ask_next(payout, minutes=0)
    courier.hand_on()
    assert state_of(payout) == PayoutState.UNKNOWN, "one such answer decides nothing"
    ask_next(payout, minutes=2)
    courier.hand_on()
    assert state_of(payout) == PayoutState.REVIEW
    assert payout.run.state == RunState.APPROVED
    assert payout.queries.filter(state=QueryState.QUEUED).count() == 2, "still asked"

    declare(payout, checker, "Statement of today, page 3: not in it.")
    assert state_of(payout) == PayoutState.FAILED
    assert payout.result_code == "not_in_statement"
    assert owed_to(network.horn[0]) == payout.amount_minor
    payout.run.refresh_from_db()
    assert payout.run.state == RunState.DONE
    assert not payout.queries.filter(state=QueryState.QUEUED).exists()
    event = Event.objects.get(name="payout.declared_not_paid", subject_id=payout.pk)
    assert event.reason == "Statement of today, page 3: not in it."
    assert event.actor_id == checker.pk
    declare(payout, checker, "A double click.")
    assert Event.objects.filter(name="payout.declared_not_paid").count() == 1

    again = approved(network.tenant, maker, checker).payouts.get()
    work_due()
    courier.hand_on()
    assert state_of(again) == PayoutState.PAID
    assert wallet_of(standin, payout) == [22_400]
    assert owed_to(network.horn[0]) == 0


def declare(payout: Payout, user: User, note: str) -> Payout:
    return declare_not_paid(payout=payout, user=user, note=note, actor=Actor.user(user))


def test_two_early_answers_are_too_early(
    pay: Callable[..., Payout], courier: Courier, standin: StandIn
) -> None:
    payout = pay("504")
    work_due()
    for minutes, state in (
        (0, PayoutState.UNKNOWN),
        (1, PayoutState.UNKNOWN),
        (2, PayoutState.REVIEW),
    ):
        ask_next(payout, minutes=minutes)
        courier.hand_on()
        assert state_of(payout) == state


@pytest.fixture
def in_review(pay: Callable[..., Payout]) -> Payout:
    """A payment that the wallet made and tells nobody about, in review."""
    payout = pay("521")
    work_due()
    with transaction.atomic():
        mark_unknown(lock_payout(payout.pk), why="No result.", actor=SYSTEM)
        mark_review(lock_payout(payout.pk), why="Not decided.", actor=SYSTEM)
    payout.refresh_from_db()
    return payout


def test_who_may_declare_and_when(
    in_review: Payout, maker: User, checker: User, person: Callable[..., User]
) -> None:
    both = person(Role.FINANCE_MAKER, Role.FINANCE_CHECKER, name="both")
    auditor = person(Role.AUDITOR, name="auditor")
    for user in (maker, auditor):
        with pytest.raises(NotAllowed):
            declare(in_review, user, "not in the statement")
    now_made_by(both)
    with pytest.raises(NotAllowed):
        declare(in_review, both, "not in the statement")
    for note in ("", "  ", "\x00"):
        with pytest.raises(Invalid):
            declare(in_review, checker, note)
    callback = WalletCallback.objects.create(
        tenant=in_review.tenant, kind="result", body="{}", fingerprint="x",
        effect="another amount than was sent", is_conflict=True, payout=in_review,
    )  # fmt: skip
    with pytest.raises(IllegalMove):
        declare(in_review, checker, "not in the statement")
    clear_conflict(callback=callback, actor=SYSTEM, note="looked at")
    assert state_of(in_review) == PayoutState.REVIEW
    assert not Event.objects.filter(name="payout.declared_not_paid").exists()
    declare(in_review, checker, "not in the statement")
    assert state_of(in_review) == PayoutState.FAILED


def test_a_payment_without_its_approval_in_the_ledger_is_not_declared(
    tenant: Tenant, graded: Callable[..., Payable], maker: User, checker: User
) -> None:
    graded(40)
    payout = run_of(tenant, maker).payouts.get()
    Payout.objects.filter(pk=payout.pk).update(state=PayoutState.REVIEW)
    with pytest.raises(IllegalMove, match="no approval"):
        declare(payout, checker, "not in the statement")
    assert not Event.objects.filter(name="payout.declared_not_paid").exists()


@pytest.mark.parametrize(
    "state", [s for s in PayoutState if s not in ("review", "paid")]
)
def test_only_a_payment_in_review_can_be_declared(
    state: PayoutState, in_review: Payout, checker: User
) -> None:
    Payout.objects.filter(pk=in_review.pk).update(state=state)
    with pytest.raises(IllegalMove):
        declare(in_review, checker, "not in the statement")
    in_review.refresh_from_db()
    assert in_review.state == state


@pytest.mark.parametrize("by", ["result", "status"])
def test_a_receipt_after_a_wrong_declaration_wins(
    by: str,
    in_review: Payout,
    courier: Courier,
    standin: StandIn,
    network: Network,
    maker: User,
    checker: User,
) -> None:
    """It was paid, declared not paid and paid again: seen, and kept back later."""
    if by == "status":
        ask_now(payout=in_review, actor=SYSTEM)
        work_due()
        (path, late) = courier.wait(1)[0]
        courier.handed += 1
    else:
        path = f"/pay/{credential_of(in_review.tenant_id).route_secret}/result"
        late = result(str(in_review.originator_id))
    declare(in_review, checker, "not in the statement")
    Workshop.objects.filter(pk=network.horn[0].pk).update(phone="+254712000017")
    second = approved(network.tenant, maker, checker).payouts.get()
    work_due()
    courier.hand_on()
    assert state_of(second) == PayoutState.PAID
    assert courier.post(path, late) == 200
    assert state_of(in_review) == PayoutState.PAID
    assert in_review.receipt
    assert WalletCallback.objects.get(is_conflict=True).payout == in_review
    paid = Event.objects.get(name="payout.paid", subject_id=in_review.pk)
    assert paid.data["overpaid_minor"] == in_review.amount_minor


@pytest.mark.parametrize("magic", ["011", "021", "201", "228", "806", "001"])
def test_our_own_fault_stops_the_channel(
    magic: str,
    pay: Callable[..., Payout],
    courier: Courier,
    network: Network,
    graded: Callable[..., Payable],
    tenant: Tenant,
    maker: User,
    checker: User,
    standin: StandIn,
) -> None:
    first = pay(magic)
    work_due()
    courier.hand_on()
    assert state_of(first) == PayoutState.FAILED
    stopped = Event.objects.get(name="wallet.stopped")
    assert stopped.reason
    graded(30, network.horn[1])
    run = approved(tenant, maker, checker, workshop_ids=[network.horn[1].pk])
    work_due()
    second = run.payouts.get()
    assert state_of(second) == PayoutState.QUEUED
    assert wallet_of(standin, second) == []
    start_channel(tenant=tenant, actor=SYSTEM)
    assert work_due() == 1
    courier.hand_on()
    assert state_of(second) == PayoutState.PAID


def test_success_then_failure_stays_paid(
    pay: Callable[..., Payout], courier: Courier
) -> None:
    payout = pay("525")
    work_due()
    courier.hand_on(2)
    assert state_of(payout) == PayoutState.PAID
    conflict = WalletCallback.objects.get(is_conflict=True)
    assert conflict.payout == payout
    assert Event.objects.filter(name="wallet.conflict").count() == 1


def test_the_notice_before_the_result(
    pay: Callable[..., Payout], courier: Courier, standin: StandIn
) -> None:
    payout = pay("526")
    work_due()
    courier.hand_on()
    assert state_of(payout) == PayoutState.UNKNOWN
    courier.hand_on()
    assert state_of(payout) == PayoutState.PAID
    assert wallet_of(standin, payout) == [22_400]


def test_the_same_result_three_times(
    pay: Callable[..., Payout], courier: Courier
) -> None:
    payout = pay("523")
    work_due()
    courier.hand_on(3)
    assert state_of(payout) == PayoutState.PAID
    assert WalletCallback.objects.get().repeats == 2
    assert Event.objects.filter(name="payout.paid").count() == 1


def test_a_lying_answer_does_not_touch_a_receipt(
    pay: Callable[..., Payout], courier: Courier, standin: StandIn
) -> None:
    payout = pay("502")
    work_due()
    standin.faults({"wallet": {"do": "query_contradicts"}})
    ask_now(payout=payout, actor=SYSTEM)
    work_due()
    told, answer = courier.wait(2)
    courier.handed += 2
    courier.post(*told)
    courier.post(*answer)
    assert state_of(payout) == PayoutState.PAID
    assert WalletCallback.objects.get(is_conflict=True).effect.startswith("Declined")


def test_a_receipt_after_a_false_failure_is_believed_and_kept_back(
    pay: Callable[..., Payout],
    courier: Courier,
    standin: StandIn,
    network: Network,
    graded: Callable[..., Payable],
    tenant: Tenant,
    maker: User,
    checker: User,
) -> None:
    """The worst case: denied, paid a second time, then the first receipt turns up."""
    payout = pay("502")
    work_due()
    standin.faults({"wallet": {"do": "query_contradicts"}})
    ask_now(payout=payout, actor=SYSTEM)
    work_due()
    told, answer = courier.wait(2)
    courier.handed += 2
    courier.post(*answer)
    assert state_of(payout) == PayoutState.FAILED
    standin.faults({})
    network.horn[0].phone = "+254712000017"
    network.horn[0].save()
    second = approved(tenant, maker, checker).payouts.get()
    work_due()
    courier.hand_on()
    assert state_of(second) == PayoutState.PAID
    courier.post(*told)
    assert state_of(payout) == PayoutState.PAID
    paid = Event.objects.get(name="payout.paid", subject_id=payout.pk)
    assert paid.data["overpaid_minor"] == payout.amount_minor
    # What was paid twice is kept back from what is earned next.
    graded(50)
    run = approved(tenant, maker, checker)
    assert run.gross_minor == 50 * 56_000
    assert run.total_minor == 10 * 56_000
    assert [hold.reason for hold in run.holds.all()] == ["overpaid"]
    assert book_differences() == []


def test_a_receipt_after_a_false_failure_covers_its_payables_again(
    pay: Callable[..., Payout], courier: Courier, standin: StandIn, network: Network
) -> None:
    payout = pay("502")
    work_due()
    standin.faults({"wallet": {"do": "query_contradicts"}})
    ask_now(payout=payout, actor=SYSTEM)
    work_due()
    told, answer = courier.wait(2)
    courier.post(*answer)
    assert owed_to(network.horn[0]) == payout.amount_minor
    courier.post(*told)
    assert state_of(payout) == PayoutState.PAID
    assert owed_to(network.horn[0]) == 0
    assert Payable.objects.get().open_minor == 0


def test_a_worker_lost_while_sending(
    pay: Callable[..., Payout], courier: Courier, tenant: Tenant, standin: StandIn
) -> None:
    payout = pay()
    outbox.claim(outbox._outboxes["payout"], payout.pk)
    Daraja(credential_of(tenant.pk)).pay(payout, "sent, then the worker dies")
    Payout.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert outbox.sweep(tenant)["lost"] == 1
    assert state_of(payout) == PayoutState.UNKNOWN
    courier.handed += len(courier.wait(1))
    make_due()
    work_due()
    courier.hand_on()
    assert state_of(payout) == PayoutState.PAID
    assert wallet_of(standin, payout) == [22_400]


def test_the_wallet_is_away(pay: Callable[..., Payout], settings) -> None:  # type: ignore[no-untyped-def]
    settings.DARAJA_URL = "http://127.0.0.1:9"
    payout = pay()
    work_due()
    assert state_of(payout) == PayoutState.QUEUED
    assert payout.attempts == 1


def test_a_refused_number_fails_at_once(
    tenant: Tenant, network: Network, graded: Callable[..., Payable], courier: Courier,
    maker: User, checker: User,
) -> None:  # fmt: skip
    graded(40)
    run: PayoutRun = approved(tenant, maker, checker)
    payout = run.payouts.get()
    outbox.claim(outbox._outboxes["payout"], payout.pk)
    take_answer(payout.pk, Refused("400.002.02", "Bad Request - Invalid PartyB", True))
    assert state_of(payout) == PayoutState.FAILED
    assert owed_to(network.horn[0]) == payout.amount_minor


def test_an_answer_after_the_lease_ran_out_changes_nothing(
    tenant: Tenant, graded: Callable[..., Payable], maker: User, checker: User
) -> None:
    graded(40)
    payout = approved(tenant, maker, checker).payouts.get()
    outbox.claim(outbox._outboxes["payout"], payout.pk)
    Payout.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    outbox.sweep(tenant)
    late = [
        NotSent("away"),
        Unknown("no answer"),
        Refused("400.002.02", "Invalid PartyB", True),
        Refused("token", "refused", False),
    ]
    for outcome in late:
        take_answer(payout.pk, outcome)
        assert state_of(payout) == PayoutState.UNKNOWN
    take_answer(payout.pk, Accepted("AG_9"))
    assert state_of(payout) == PayoutState.UNKNOWN
    assert payout.conversation_id == "AG_9"
