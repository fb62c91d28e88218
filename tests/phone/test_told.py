"""What an artisan is told, by the real services that cause it."""

from collections.abc import Callable

import pytest

from artisans.models import Workshop
from orders.models import Job
from orders.services.deliveries import book_delivery, receive_delivery
from orders.services.jobs import accept_job, lapse_job, offer_job, withdraw_job
from payments.enums import PayoutState
from payments.models import Payout
from payments.services.runs import approve_run, make_run
from payments.services.settling import mark_failed, mark_paid, mark_unknown
from phone import words
from phone.models import Channel, Message
from qc.enums import Grade
from qc.models import Batch
from qc.services import Verdict, ensure_default_defects, grade_batch
from tests.builders import SYSTEM, Network, build_day, build_job, build_order
from tests.phone.conftest import Handset
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db


def told(template: str) -> str:
    """The text of the only message of this template."""
    return Message.objects.get(template=template).text


def brought(job: Job, declared: int, counted: int) -> Batch:
    delivery = book_delivery(
        workshop=job.workshop,
        pieces={job: declared},
        booked_for=build_day(1),
        actor=SYSTEM,
    )
    line = delivery.lines.get()
    receive_delivery(delivery=delivery, counts={line.pk: counted}, actor=SYSTEM)
    return Batch.objects.get(delivery_line=line)


@pytest.fixture
def grader(person: Callable[..., User]) -> User:
    return person(Role.QC)


@pytest.fixture
def grade_c1(tenant: Tenant, grader: User) -> Callable[[Batch], None]:
    """60 AA, 28 A, 4 B, 6 rework for a scratch."""
    defects = {each.code: each for each in ensure_default_defects(tenant=tenant)}

    def grade(batch: Batch) -> None:
        grade_batch(
            batch=batch,
            verdicts=[
                Verdict(Grade.AA, 60),
                Verdict(Grade.A, 28),
                Verdict(Grade.B, 4, defects["colour-differs"]),
                Verdict(Grade.REWORK, 6, defects["scratch"]),
            ],
            grader=grader,
            actor=Actor.user(grader),
        )

    return grade


def test_an_offer_in_both_languages(network: Network, horn: Workshop) -> None:
    english = build_job(network, accepted=False)
    due = words.day(english.due_on, "en")
    n = english.number
    assert told("offer") == (
        f"Job {n}: 100 HP-01 at KES 560 = 56,000, due {due}. "
        f"Dial *384*55# to answer, or reply YES {n} or NO {n}."
    )
    swahili = build_job(network, workshop=network.horn[2], accepted=False)
    text = Message.objects.get(workshop=network.horn[2]).text
    assert text.startswith(
        f"Kazi {swahili.number}: HP-01 100 kwa KES 560 = 56,000, mwisho "
    )
    assert words.day(swahili.due_on, "sw") in text
    message = Message.objects.get(workshop=network.horn[2])
    assert (message.language, message.parts) == ("sw", 1)
    assert message.purpose == f"job.offered:{swahili.pk}"


def test_a_second_offer_of_the_same_work_is_told_too(
    network: Network, horn: Workshop
) -> None:
    order = build_order(network, 60)
    work_order = order.lines.get().work_orders.get(component=network.pendant)
    for _ in range(2):
        job = offer_job(work_order=work_order, workshop=horn, quantity=60, actor=SYSTEM)
        lapse_job(job=job, actor=SYSTEM)
    assert Message.objects.filter(template="offer").count() == 2
    assert Message.objects.filter(template="lapsed").count() == 2


def test_withdrawn_before_and_after_the_answer(
    network: Network, channel: Channel
) -> None:
    offered = build_job(network, 30, accepted=False)
    withdraw_job(job=offered, actor=SYSTEM, reason="cancelled")
    assert "no longer on offer" in told("offer_withdrawn")
    begun = build_job(network, 30)
    withdraw_job(job=begun, actor=SYSTEM, reason="cancelled")
    assert told("job_withdrawn").startswith(f"Please stop job {begun.number}")


def test_a_count_that_differs_is_told_with_both_numbers(
    network: Network, channel: Channel
) -> None:
    job = build_job(network)
    brought(job, 100, 98)
    text = told("count_short")
    assert f"job {job.number}: you declared 100, we counted 98. 2 missing." in text
    other = build_job(network, 40)
    brought(other, 30, 31)
    assert "you declared 30, we counted 31." in told("count_over")


def test_a_right_count_is_not_told(network: Network, channel: Channel) -> None:
    brought(build_job(network), 100, 100)
    assert not Message.objects.filter(template__startswith="count").exists()


def test_grades_and_pay(
    network: Network, channel: Channel, grade_c1: Callable[[Batch], None]
) -> None:
    batch = brought(build_job(network), 100, 98)
    grade_c1(batch)
    due = words.day(batch.inspection.rework_tickets.get().due_on, "en")
    assert told("graded") == (
        f"{batch}: 60 AA, 28 A, 4 B, 6 rework (scratch) by {due}. Pay 92 = KES 51,520."
    )
    grade_c1(batch)
    assert Message.objects.filter(template="graded").count() == 1


def test_grades_and_pay_in_swahili(
    network: Network, channel: Channel, grade_c1: Callable[[Batch], None]
) -> None:
    batch = brought(build_job(network, workshop=network.horn[2]), 100, 98)
    grade_c1(batch)
    text = told("graded")
    assert text.startswith(f"{batch}: 60 AA, 28 A, 4 B, 6 kurekebisha (")
    assert text.endswith("Malipo 92 = KES 51,520.")


def test_a_batch_that_earns_nothing(
    network: Network, channel: Channel, tenant: Tenant, grader: User
) -> None:
    batch = brought(build_job(network, 30), 30, 30)
    defects = {each.code: each for each in ensure_default_defects(tenant=tenant)}
    grade_batch(
        batch=batch,
        verdicts=[Verdict(Grade.SCRAP, 30, defects["scratch"])],
        grader=grader,
        actor=SYSTEM,
    )
    assert told("graded_unpaid") == f"{batch}: 30 scrap. No pay for this batch yet."


@pytest.fixture
def payout(
    network: Network,
    channel: Channel,
    tenant: Tenant,
    person: Callable[..., User],
    grade_c1: Callable[[Batch], None],
) -> Payout:
    """KES 51,520 for W-017, approved and handed to the wallet."""
    grade_c1(brought(build_job(network), 100, 98))
    maker, checker = person(Role.FINANCE_MAKER), person(Role.FINANCE_CHECKER)
    run = make_run(tenant=tenant, made_by=maker, actor=Actor.user(maker))
    approve_run(
        run=run,
        approver=checker,
        total_minor=run.total_minor,
        actor=Actor.user(checker),
    )
    Payout.objects.update(state=PayoutState.SENDING)
    return Payout.objects.get()


def test_a_payment_is_receipted(payout: Payout, handset: Handset) -> None:
    assert "KES 51,520 on its way" in handset.dial("4")
    mark_paid(payout, receipt="NLJ41HAY6Q", actor=SYSTEM)
    assert told("paid") == (
        "You have been paid KES 51,520 by M-Pesa, reference NLJ41HAY6Q "
        f"({payout.run}). Thank you for your work."
    )
    said = handset.dial("4")
    assert said.startswith("CON Owed to you: KES 0.\n")
    assert "KES 51,520 paid NLJ41HAY6Q" in said


def test_a_failed_payment_is_still_hers(payout: Payout, handset: Handset) -> None:
    mark_failed(payout, code="2040", words="not registered", actor=SYSTEM)
    assert "did not go through" in told("payout_failed")
    said = handset.dial("4")
    assert said.startswith("CON Owed to you: KES 51,520.\n")
    assert "failed, we will pay again" in said


def test_the_unknown_is_said_as_unknown(
    payout: Payout, handset: Handset, horn: Workshop
) -> None:
    mark_unknown(payout, why="time-out", actor=SYSTEM)
    assert "not sure yet, we are asking" in handset.dial("4")
    Workshop.objects.filter(pk=horn.pk).update(language="sw")
    assert "haijulikani bado, tunauliza" in handset.dial("4")
    assert not Message.objects.filter(template__in=("paid", "payout_failed")).exists()


def test_the_language_changes_every_later_message(
    network: Network, handset: Handset
) -> None:
    handset.dial("6", "2")
    network.horn[0].refresh_from_db()
    job = build_job(network, accepted=False)
    assert told("offer").startswith(f"Kazi {job.number}: ")
    accept_job(job=job, actor=SYSTEM)
