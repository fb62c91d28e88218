"""Whatever people do, in whatever order, the counts of a work order stay true."""

import random

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.enums import (
    DELIVERY_MOVES,
    JOB_MOVES,
    LINE_MOVES,
    ORDER_MOVES,
    DeliveryState,
    JobState,
    LineStage,
    OrderState,
)
from orders.models import Delivery, Job, WorkOrder
from orders.services.deliveries import book_delivery, receive_delivery
from orders.services.jobs import (
    accept_job,
    close_short,
    decline_job,
    lapse_job,
    offer_job,
    record_verdict,
    report_progress,
    withdraw_job,
)
from tests.builders import SYSTEM, Network, build_day, build_order
from vrp.errors import IllegalMove, Invalid
from vrp.events.models import Event

ENDED = (JobState.DECLINED, JobState.LAPSED, JobState.WITHDRAWN)


@pytest.mark.parametrize(
    ("moves", "states"),
    [
        (JOB_MOVES, JobState),
        (ORDER_MOVES, OrderState),
        (LINE_MOVES, LineStage),
        (DELIVERY_MOVES, DeliveryState),
    ],
)
def test_every_state_has_its_moves_and_can_be_reached(moves, states) -> None:  # type: ignore[no-untyped-def]
    assert set(moves) == set(states)
    reached = {next(iter(states))}
    for _ in states:
        reached |= {new for old in list(reached) for new in moves[old]}
    assert reached == set(states)


class Story:
    """One work order, and people acting on it at random."""

    def __init__(self, network: Network, seed: int) -> None:
        self.network = network
        self.rng = random.Random(seed)
        order = build_order(network, 120, po=f"story-{seed}-{Event.objects.count()}")
        self.work_order = order.lines.get().work_orders.get(component=network.pendant)

    def job(self) -> Job:
        return self.rng.choice(list(self.work_order.jobs.all()))

    def offer(self) -> None:
        offer_job(
            work_order=self.work_order,
            workshop=self.rng.choice(self.network.horn),
            quantity=self.rng.choice([60, 120, 120, self.rng.randint(0, 130)]),
            actor=SYSTEM,
        )

    def accept(self) -> None:
        quantity = self.rng.choice([None, None, self.rng.randint(0, 130)])
        accept_job(job=self.job(), quantity=quantity, actor=SYSTEM)

    def decline(self) -> None:
        decline_job(job=self.job(), reason="busy", actor=SYSTEM)

    def lapse(self) -> None:
        lapse_job(job=self.job(), actor=SYSTEM)

    def withdraw(self) -> None:
        withdraw_job(job=self.job(), actor=SYSTEM, reason="changed")

    def progress(self) -> None:
        report_progress(job=self.job(), made=self.rng.randint(0, 130), actor=SYSTEM)

    def book(self) -> None:
        job = self.job()
        book_delivery(
            workshop=job.workshop,
            pieces={job: self.rng.choice([job.to_deliver, self.rng.randint(0, 120)])},
            booked_for=build_day(1),
            actor=SYSTEM,
        )

    def receive(self) -> None:
        delivery = self.rng.choice(
            list(Delivery.objects.filter(lines__job__work_order=self.work_order))
        )
        counts = {
            line.pk: self.rng.choice([line.declared, self.rng.randint(0, 120)])
            for line in delivery.lines.all()
        }
        receive_delivery(delivery=delivery, counts=counts, actor=SYSTEM)

    def grade(self) -> None:
        job = self.job()
        waiting = job.delivered - job.good - job.scrapped
        good = self.rng.randint(0, max(waiting, 0))
        scrapped = self.rng.randint(0, max(waiting - good, 0))
        record_verdict(job=job, good=good, scrapped=scrapped, rework=0, actor=SYSTEM)

    def close(self) -> None:
        close_short(job=self.job(), actor=SYSTEM, reason="no more")

    def check(self) -> None:
        work_order = WorkOrder.objects.get(pk=self.work_order.pk)
        held = work_order.jobs.exclude(state__in=ENDED)
        taken = held.exclude(state=JobState.OFFERED)
        sums = {
            "placed": total(held, "quantity") - total(held, "scrapped"),
            "accepted": total(taken, "quantity") - total(taken, "scrapped"),
            "good": total(held, "good"),
        }
        assert sums == {
            "placed": work_order.placed,
            "accepted": work_order.accepted,
            "good": work_order.good,
        }
        assert 0 <= work_order.good <= work_order.accepted <= work_order.placed
        assert work_order.placed <= work_order.quantity
        for job in work_order.jobs.all():
            assert job.good + job.scrapped <= job.delivered <= job.quantity


def total(jobs, column: str) -> int:  # type: ignore[no-untyped-def]
    return jobs.aggregate(n=Sum(column))["n"] or 0


ACTIONS = [
    "offer", "accept", "decline", "lapse", "withdraw", "progress", "book", "receive",
    "grade", "close",
]  # fmt: skip
# How far the story is before people act at random: deep states are reached as well.
BEGINNINGS = [
    ["offer"],
    ["offer", "accept"],
    ["offer", "accept", "book", "receive"],
    ["offer", "accept", "book", "receive", "grade"],
]


@pytest.mark.django_db
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    beginning=st.sampled_from(BEGINNINGS),
    actions=st.lists(st.sampled_from(ACTIONS), min_size=3, max_size=20),
    seed=st.integers(0, 10_000),
)
def test_any_sequence_of_acts_keeps_the_counts_true(
    network: Network, beginning: list[str], actions: list[str], seed: int
) -> None:
    story = Story(network, seed)
    for action in [*beginning, *actions]:
        before = Event.objects.count()
        try:
            getattr(story, action)()
        except (IllegalMove, Invalid):
            assert Event.objects.count() == before, "a refusal leaves no trace"
        except IndexError:
            pass  # nothing there yet to act upon
        story.check()
