"""Payments against the wallet stand-in, over real HTTP, with all its misbehaviour."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from artisans.models import Workshop
from payments.daraja import Accepted, Daraja, NotSent, Refused, Unknown
from payments.enums import PayoutState, QueryState, RunState
from payments.models import Payable, Payout, PayoutRun, StatusQuery, WalletCallback
from payments.queries import book_differences, last_payouts, on_its_way, owed_to
from payments.services.asking import ask_now, hand_to_people
from payments.services.payouts import chase_silent, credential_of, take_answer
from payments.services.wallet import start_channel
from tests.builders import SYSTEM, Network
from tests.payments.conftest import Courier, approved, make_due, work_due
from tests.standin import StandIn
from vrp.accounts.models import User
from vrp.errors import IllegalMove
from vrp.events import outbox
from vrp.events.models import Event
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
    result, answer = courier.wait(2)
    courier.handed += 2
    courier.post(*result)
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
    result, answer = courier.wait(2)
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
    courier.post(*result)
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
    result, answer = courier.wait(2)
    courier.post(*answer)
    assert owed_to(network.horn[0]) == payout.amount_minor
    courier.post(*result)
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
