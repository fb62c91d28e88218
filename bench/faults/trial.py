"""One trial: the system, the people, the harm, the quiet after it, the reckoning."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psycopg2

from bench.faults.evidence import carrier_state, gather, restless
from bench.faults.finance import Finance
from bench.faults.house import House
from bench.faults.injector import Injector
from bench.faults.journal import Journal, Told
from bench.faults.play import Player
from bench.faults.receiver import MoodyReceiver
from bench.faults.reckoning import Evidence, Loss, reckon
from bench.faults.script import Story, write_stories
from vrp.walk.facts import Facts, read_facts
from vrp.walk.problem import NotRight

PLAYERS = 5
# Bounds, in seconds; everything waits for what happens, not for these.
LONGEST_STORM, LONGEST_QUIET = 300.0, 240.0


@dataclass
class Outcome:
    """What a trial showed."""

    seed: int
    journal: Journal
    books: Evidence
    losses: list[Loss]
    injected: dict[str, int]
    missing: list[str]
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """How a trial is to be. ``seconds``: the storm lasts at least so long."""

    seed: int
    orders: int = 50
    seconds: float = 0.0
    pause: float = 1.0
    calm: bool = False


class Trial:
    """Runs one plan in a house of its own."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self.plan, self.say = plan, say
        self.house = House()
        self.journal = Journal(self.house.data / "journal.log")
        self.told: list[Told] = []
        self.seconds: dict[str, float] = {}

    def run(self) -> Outcome:
        """From nothing to the reckoning; the house is stopped whatever happens."""
        receiver = MoodyReceiver()
        try:
            with _timed(self.seconds, "start"):
                self.house.start()
            facts = read_facts(self.house.data)
            self.say(f"started in {self.seconds['start']:.0f} s on {self.house.data}")
            return self._run(facts, receiver)
        finally:
            self.journal.close()
            receiver.close()
            self.house.stop()

    def _run(self, facts: Facts, receiver: MoodyReceiver) -> Outcome:
        self.journal.began = time.monotonic()
        shop = Player(self.house, facts, self.journal).shop
        receiver.secret = shop.listen(receiver.url)
        # Every third workshop is never paid: what it earned has to stay owed.
        codes = sorted(facts.workshops)
        paid = {code for place, code in enumerate(codes) if place % 3}
        finance = Finance(facts, paid, self.journal)
        harm = Injector(
            self.house, facts, receiver, self.journal, self.plan.seed, self.plan.pause
        )
        finance.start()
        if not self.plan.calm:
            harm.start()
        with _timed(self.seconds, "storm"):
            self._storm(facts, harm)
        if not self.plan.calm:
            harm.stop()
        self.say(
            f"{len(self.told)} orders in {self.seconds['storm']:.0f} s, "
            f"{sum(harm.done.values())} faults; now all is left in peace"
        )
        finance.stop()
        with _timed(self.seconds, "quiet"):
            self._settle(facts, finance)
        books = gather(self.house, facts, self.told, paid, receiver)
        missing = [] if self.plan.calm else harm.missing()
        return Outcome(
            self.plan.seed,
            self.journal,
            books,
            [*reckon(books), *self._forged(receiver)],
            {kind: harm.done[kind] for kind in harm.kinds()},
            missing,
            self.seconds,
        )

    def _forged(self, receiver: MoodyReceiver) -> list[Loss]:
        return [Loss("webhook lost", "signature", said) for said in receiver.forged]

    # -- the storm -------------------------------------------------------------------

    def _storm(self, facts: Facts, harm: Injector) -> None:
        """Play all stories, and more of them while the storm is to last."""
        began, played = time.monotonic(), 0
        while played == 0 or time.monotonic() - began < self.plan.seconds:
            played += 1
            prefix = f"F{played}"
            stories = write_stories(self.plan.orders, self.plan.seed, prefix)
            self._play(facts, stories)
        end = began + LONGEST_STORM
        short = self.plan.seconds == 0 and not self.plan.calm
        while short and harm.missing() and time.monotonic() < end:
            # The last kinds need something to happen to.
            prefix = f"X{played}"
            played += 1
            self._play(facts, write_stories(10, self.plan.seed, prefix))

    def _play(self, facts: Facts, stories: list[Story]) -> None:
        waiting = [Told(story) for story in stories]
        self.told += waiting
        queue = iter(waiting)

        def work() -> None:
            player = Player(self.house, facts, self.journal)
            # ``next`` of a list's iterator is atomic.
            for told in queue:
                player.play(told)

        with ThreadPoolExecutor(PLAYERS) as pool:
            for done in [pool.submit(work) for _ in range(PLAYERS)]:
                done.result()

    # -- the quiet after it ------------------------------------------------------------

    def _settle(self, facts: Facts, finance: Finance) -> None:
        """Wait until nothing moves: finance pays what is left, the clock does the rest."""
        end = time.monotonic() + LONGEST_QUIET
        left: object = "nobody looked"
        while time.monotonic() < end:
            try:
                settled = not self.house.down() and finance.turn()
                left = restless(self.house) or _on_the_way(facts)
                if settled and not left:
                    return
            except (psycopg2.Error, NotRight) as error:
                left = f"{type(error).__name__}: {error}"
            time.sleep(1.0)
        self.journal.note("quiet", f"something still moves: {left}")


def _on_the_way(facts: Facts) -> dict[str, int]:
    """What the stand-ins still have to tell."""
    state = carrier_state(facts)
    names = ("reports_waiting", "inbound_waiting", "results_waiting")
    return {name: state[name] for name in names if state[name]}


class _timed:
    """Notes how long a block took."""

    def __init__(self, seconds: dict[str, float], name: str) -> None:
        self.seconds, self.name = seconds, name

    def __enter__(self) -> None:
        self.began = time.monotonic()

    def __exit__(self, *error: object) -> None:
        self.seconds[self.name] = time.monotonic() - self.began
