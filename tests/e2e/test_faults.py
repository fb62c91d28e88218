"""The worker is killed and Redis forgets everything, in the middle of an order's path.

Postgres is the only truth: the order must end as one that nobody disturbed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from tests.e2e.outcome import (
    Outcome,
    assert_books_balance,
    assert_paid_once,
    assert_told_once,
    outcome_of,
)
from tests.e2e.system import System
from vrp.walk.actors.artisan import Artisan
from vrp.walk.problem import NotRight
from vrp.walk.scenes.answering import (
    decline,
    expect_yes,
    say_yes,
    short_pieces_are_offered_again,
    who_declines,
)
from vrp.walk.scenes.grading import (
    headquarters_counts_and_grades,
    missing_and_mended_pieces_come,
)
from vrp.walk.scenes.making import workshops_make_and_deliver
from vrp.walk.scenes.ordering import buyer_orders
from vrp.walk.scenes.paying import approve, clear_up, earners, expect_paid, make_run
from vrp.walk.scenes.planning import (
    expect_offers,
    find_order,
    proposals,
    propose,
    release,
    rules_for,
)
from vrp.walk.scenes.shipping import order_is_shipped
from vrp.walk.show import Show
from vrp.walk.tour import Tour, make_tour
from vrp.walk.web import poll

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(1500)]
# Both children of the worker are held by one request each.
CHILDREN = 2
UNREAD = (
    "SELECT count(*) FROM phone_message WHERE direction = 'in' AND state = 'received'"
)

# What is held and what waits at the moment of the strike.
IN_HAND = """SELECT state, count(*) FROM {table}
    WHERE state IN ('queued', 'sending') GROUP BY state"""


def until(what: str, probe: Callable[[], object], seconds: float = 150) -> object:
    return poll(what, probe, seconds=seconds, pause=0.1)


class Calm:
    """Nothing is disturbed."""

    def __init__(self, system: System) -> None:
        self.system = system

    def before_release(self, tour: Tour) -> None:
        """The plan is ready; its offers are about to leave."""

    def after_release(self, tour: Tour) -> None:
        """The offers are queued."""

    def before_answers(self) -> None:
        """Workshops are about to write their answers."""

    def after_answers(self, count: int) -> None:
        """So many answers were written by SMS."""

    def before_approval(self, tour: Tour) -> None:
        """The run is made; its payments are about to leave."""

    def after_approval(self, tour: Tour, run: str) -> None:
        """The payments of the run at this address are queued."""


class Trouble(Calm):
    """Kills the worker and flushes Redis while something is in the worker's hands.

    The stand-ins hold the first two requests unanswered, after they took them, so it is
    known what the worker was doing: two are in flight, the rest waits in Redis.
    """

    def strike(self, table: str) -> None:
        """Kill, then forget, so that the next worker finds an empty queue."""
        before = self.system.process("worker")
        states = dict(self.system.rows(IN_HAND.format(table=table)))
        assert states.get("sending") == CHILDREN, f"{table}: {states}"
        assert states.get("queued", 0) >= 1, f"{table}: {states}"
        self.system.kill_worker()
        self.system.flush_redis()
        until(
            "the supervisor has noticed that the worker is gone",
            lambda: (
                self.system.process("worker")["restarts"] > before["restarts"]
                or self.system.process("worker")["pid"] != before["pid"]
            ),
        )

    def before_release(self, tour: Tour) -> None:
        tour.misbehave("sms", {"do": "hang", "times": CHILDREN, "seconds": 30})

    def after_release(self, tour: Tour) -> None:
        until(
            "both children of the worker hold an offer",
            lambda: sum(len(one.sms()) for one in tour.artisans.values()) >= CHILDREN,
        )
        self.strike("phone_message")

    def before_answers(self) -> None:
        self.system.kill_worker()

    def after_answers(self, count: int) -> None:
        until(
            "the answers are in the database",
            lambda: self.system.rows(UNREAD)[0][0] in (0, count),
            seconds=20,
        )
        self.system.flush_redis()

    def before_approval(self, tour: Tour) -> None:
        # Paid, but neither the request nor any callback ever says so.
        tour.misbehave("wallet", {"do": "hang", "times": CHILDREN, "seconds": 30})
        tour.misbehave("wallet", {"do": "result_none", "times": CHILDREN})

    def after_approval(self, tour: Tour, run: str) -> None:
        until(
            "both children of the worker hold a payment",
            lambda: len(_with_money(tour)) >= CHILDREN,
        )
        held = _with_money(tour)
        self.strike("payments_payout")
        for artisan in held:
            clear_up(tour, run, artisan)


def _with_money(tour: Tour) -> list[Artisan]:
    return [one for one in earners(tour) if one.money()]


@contextmanager
def played(system: System, po: str, events: Calm) -> Iterator[Tour]:
    """One order from the buyer's call to the shipment, as the tour plays it.

    Its people hold their phones, and its webhook is registered, until the block ends.
    """
    tour = make_tour(system.data, Show(StringIO(), quiet=True), po=po, quantity=60)
    try:
        buyer_orders(tour)
        plan = propose(tour, find_order(tour), rules_for(tour))
        events.before_release(tour)
        release(tour, plan)
        events.after_release(tour)
        tour.lots = expect_offers(tour, proposals(plan))
        _answer(tour, events)
        short_pieces_are_offered_again(tour)
        workshops_make_and_deliver(tour)
        headquarters_counts_and_grades(tour)
        missing_and_mended_pieces_come(tour)
        _pay(tour, events)
        order_is_shipped(tour)
        yield tour
    except NotRight as error:
        raise AssertionError(f"{po}: {error}") from error
    finally:
        tour.close()


def _answer(tour: Tour, events: Calm) -> None:
    declining = who_declines(tour.lots)
    rest = [lot for lot in tour.lots if lot is not declining]
    events.before_answers()
    for lot in rest:
        say_yes(tour, lot)
    decline(tour, declining)
    events.after_answers(len(rest))
    for lot in rest:
        expect_yes(tour, lot)


def _pay(tour: Tour, events: Calm) -> None:
    people = earners(tour)
    run, total = make_run(tour, people)
    events.before_approval(tour)
    approve(tour, run, total)
    events.after_approval(tour, run)
    for artisan in people:
        expect_paid(tour, artisan, aloud=False)


@pytest.fixture(scope="module")
def undisturbed(system: System) -> Outcome:
    """What an order leaves behind that nobody disturbed."""
    with played(system, f"CALM-{datetime.now(UTC):%H%M%S}", Calm(system)) as tour:
        assert_told_once(system, tour)
        assert_paid_once(system, tour)
        return outcome_of(system, tour)


def test_an_order_survives_the_worker_and_redis(
    system: System, undisturbed: Outcome
) -> None:
    po = f"TROUBLE-{datetime.now(UTC):%H%M%S}"
    with played(system, po, Trouble(system)) as tour:
        assert outcome_of(system, tour) == undisturbed
        assert_told_once(system, tour)
        assert_paid_once(system, tour)
    assert_books_balance(system)
    assert int(system.process("worker")["restarts"]) >= 3


def test_the_record_of_events_holds_after_it(system: System) -> None:
    said = until(
        "the clock has sealed all events",
        lambda: _all_sealed(system.manage("verify_events")),
    )
    assert "BROKEN" not in str(said)
    late = system.rows(
        "SELECT count(*) FROM events_event WHERE number IS NULL AND at < %(before)s",
        before=datetime.now(UTC) - timedelta(minutes=5),
    )
    assert late == [(0,)]


def _all_sealed(said: str) -> str:
    return said if "soko-demo" in said and ", 0 to be sealed" in said else ""
