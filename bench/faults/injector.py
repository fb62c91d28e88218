"""Harm, by a seed: processes killed, servers stopped, stand-ins that fail and lie.

A bag holds one of every kind; it is emptied in an order that the seed decides, then
filled again. A fault counts as injected when it happened: a process was there to be
killed, a rule of the stand-ins was used up, a mood of the receiver met a delivery.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import requests

from bench.faults.house import PARTS, House
from bench.faults.journal import Journal
from bench.faults.receiver import MOODS, MoodyReceiver
from simulators.faults import WORDS
from vrp.walk.facts import Facts
from vrp.walk.problem import NotRight
from vrp.walk.web import call, json_of, new_session

ABOUT = "fault"
# So many steps of the stories come to their end between one harm and the next.
STEPS = (2, 6)
Rule = dict[str, Any]
# What the stand-ins do wrong: fail before acting, fail after it, dawdle, lie.
#
# Two words of theirs are left out. ``query_contradicts`` (a status query that denies a
# payment which was made) cannot be survived by anybody: the wallet's word is all there
# is to go by. Codes that refuse the whole account stop it for a person, as they should.
RULES: dict[str, list[Rule]] = {
    "sms": [
        {"do": "hang", "seconds": 5},
        {"do": "lost"},
        {"do": "drop"},
        {"do": "slow", "seconds": 1.5},
        {"do": "http", "code": "500"},
        {"do": "http", "code": "429"},
        {"do": "http", "code": "504"},
        {"do": "status", "code": "500"},
        {"do": "bad_json"},
        {"do": "charset"},
        {"do": "no_parts"},
        {"do": "report_none"},
        {"do": "report_repeated"},
        {"do": "report_late", "seconds": 4},
        {"do": "report_reversed"},
        {"do": "report_early"},
        {"do": "report_stranger"},
        {"do": "report_buffered"},
        {"do": "inbound_twice"},
    ],
    "wallet": [
        {"do": "token_http", "code": "503"},
        {"do": "token_expired"},
        {"do": "hang", "seconds": 5},
        {"do": "lost"},
        {"do": "drop"},
        {"do": "http", "code": "500"},
        {"do": "http", "code": "429"},
        {"do": "error_200"},
        {"do": "busy"},
        {"do": "busy_paid"},
        {"do": "result", "code": "8"},
        {"do": "result_none"},
        {"do": "result_late", "seconds": 4},
        {"do": "result_repeated"},
        {"do": "result_early"},
        {"do": "contradictory"},
        {"do": "queue_timeout"},
        {"do": "queue_timeout_only"},
        {"do": "settle_late", "seconds": 3},
        {"do": "query_none"},
        {"do": "query_timeout"},
    ],
    "ussd": [{"do": "repeat"}, {"do": "lost"}],
}


# What a fault of the stand-ins amounts to; the short form meets each of these once.
FAMILIES = {
    "fails before acting": "drop http status token_http token_expired error_200 busy",
    "acts, then fails": "hang lost bad_json busy_paid",
    "is slow": "slow report_late result_late settle_late",
    "stays silent": "report_none result_none queue_timeout_only query_none query_timeout",
    "refuses": "result",
    "is odd": "charset no_parts",
    "lies": "report_repeated report_reversed report_early report_stranger"
    " report_buffered inbound_twice result_repeated result_early contradictory"
    " queue_timeout repeat",
}


def family_of(channel: str, rule: Rule) -> str:
    """``wallet lies``: what a rule amounts to."""
    found = (
        family for family, words in FAMILIES.items() if rule["do"] in words.split()
    )
    return f"{channel} {next(found)}"


def name_of(channel: str, rule: Rule) -> str:
    """``sms http 500``: a rule as the table shows it."""
    return " ".join(
        str(part) for part in (channel, rule["do"], rule.get("code", "")) if part
    )


def stage_of(channel: str, rule: Rule) -> tuple[str, str]:
    """Where in a request the stand-in looks at this rule."""
    stages = WORDS[channel]
    return channel, next(stage for stage in stages if rule["do"] in stages[stage])


class Injector:
    """Does harm from a thread of its own until it is stopped."""

    def __init__(
        self,
        house: House,
        facts: Facts,
        receiver: MoodyReceiver,
        journal: Journal,
        seed: int,
        pause: float,
    ) -> None:
        self.house, self.facts, self.receiver = house, facts, receiver
        self.journal, self.pause = journal, pause
        self.done: Counter[str] = Counter()
        self.rng = random.Random(f"faults {seed}")
        self.harms = self._harms()
        self._bag: list[str] = []
        self._not_before = 0
        # Rules in the stand-ins' memory that have not been used up, as we know it.
        self._waiting: list[tuple[str, Rule]] = []
        self._rules = [(channel, rule) for channel in RULES for rule in RULES[channel]]
        self._rule_bag: list[tuple[str, Rule]] = []
        self._web = new_session()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name=ABOUT, daemon=True)

    def _harms(self) -> dict[str, Callable[[], bool]]:
        """Every kind of harm to a process or a server, by its name in the table."""
        house = self.house
        harms: dict[str, Callable[[], bool]] = {}
        for part in PARTS:
            harms[f"kill {part}"] = lambda part=part: self._kill(part)  # type: ignore[misc]
        for part in ("web", "worker", "worker-2", "clock", "clock-2"):
            harms[f"kill child of {part}"] = lambda part=part: house.kill_child(  # type: ignore[misc]
                part, self.rng.choice
            )
        harms |= {
            "flush redis": house.flush_redis,
            "stop redis": lambda: house.signal("redis", signal.SIGTERM),
            "kill redis": lambda: house.signal("redis", signal.SIGKILL),
            "hang redis 3 s": lambda: self._hang("redis", 3),
            "stop postgres at once": lambda: house.signal("postgres", signal.SIGQUIT),
            "expire wallet tokens": lambda: self._post({"expire_tokens": True}),
        }
        return harms

    def kinds(self) -> list[str]:
        """Every kind of fault there is."""
        moods = [f"receiver {mood}" for mood in MOODS]
        return [*self.harms, *(name_of(*pair) for pair in self._rules), *moods]

    def missing(self) -> list[str]:
        """Kinds of harm, families of stand-in faults and moods that never happened."""
        met = {family_of(*pair) for pair in self._rules if self.done[name_of(*pair)]}
        families = {family_of(*pair) for pair in self._rules} - met
        others = [kind for kind in self.harms if not self.done[kind]]
        moods = [f"receiver {mood}" for mood in MOODS if not self.receiver.had[mood]]
        return [*others, *sorted(families), *moods]

    # -- life ----------------------------------------------------------------------

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Make an end, and let everybody behave well from now on."""
        self._over.set()
        self._thread.join(timeout=60)
        self._count_used()
        self._waiting.clear()
        while not self._post({}):
            time.sleep(0.5)
        self.receiver.behave()
        for mood in MOODS:
            self.done[f"receiver {mood}"] = self.receiver.had[mood]

    def _work(self) -> None:
        while not self._over.wait(self.pause * self.rng.uniform(0.5, 1.5)):
            try:
                self._stir()
                self._harm()
            except (NotRight, requests.RequestException, OSError) as error:
                self.journal.note(ABOUT, f"could not do harm: {str(error)[:120]}")

    def _harm(self) -> None:
        # A house that is down shows nothing, nor does one that gets nothing done: what
        # was harmed comes back first, and people get a few steps further.
        if self.house.down() or self.journal.steps < self._not_before:
            return
        if not self._bag:
            self._bag = self.rng.sample(sorted(self.harms), len(self.harms))
        kind = self._bag.pop()
        if self.harms[kind]():
            self.done[kind] += 1
            self.journal.note(ABOUT, kind)
            self._not_before = self.journal.steps + self.rng.randint(*STEPS)
        else:
            # It was not there to be harmed just now: another time.
            self._bag.insert(0, kind)

    # -- processes and servers -----------------------------------------------------------

    def _kill(self, part: str) -> bool:
        if part == "standins":
            self._count_used()
        killed = self.house.signal(part, signal.SIGKILL)
        if killed and part == "standins":
            # Rules live in its memory only.
            self._rule_bag += self._waiting
            self._waiting = []
        return killed

    def _hang(self, name: str, seconds: float) -> bool:
        if not self.house.signal(name, signal.SIGSTOP):
            return False
        time.sleep(seconds)
        self.house.signal(name, signal.SIGCONT)
        return True

    # -- stand-ins and receiver ------------------------------------------------------

    def _stir(self) -> None:
        """Some new rules, as long as those before are being used up."""
        self._count_used()
        wanted = [*self._waiting]
        for _ in range(4):
            self._add_rule(wanted)
        body: dict[str, list[Rule]] = {}
        for channel, rule in wanted:
            body.setdefault(channel, []).append({**rule, "times": 1})
        if self._post(body):
            self._waiting = wanted
        if self.rng.random() < 0.7:
            self.receiver.misbehave(self.rng.choice(MOODS))
        for mood in MOODS:
            self.done[f"receiver {mood}"] = self.receiver.had[mood]

    def _add_rule(self, wanted: list[tuple[str, Rule]]) -> None:
        """The next rule of the bag, unless another of its stage waits already.

        A request uses up all rules of a stage, and plays one of them.
        """
        if not self._rule_bag:
            self._rule_bag = self.rng.sample(self._rules, len(self._rules))
        pair = self._rule_bag.pop()
        if stage_of(*pair) in {stage_of(*other) for other in wanted}:
            self._rule_bag.insert(0, pair)
        else:
            wanted.append(pair)

    def _count_used(self) -> None:
        """What we set and the stand-ins no longer have was used up."""
        try:
            url = self.facts.standin_url + "/_faults"
            rules = json_of(call(self._web, "GET", url))
        except NotRight:
            return
        left = Counter(name_of(c, r) for c in rules for r in rules[c])
        still = []
        for channel, rule in self._waiting:
            name = name_of(channel, rule)
            if left[name]:
                left[name] -= 1
                still.append((channel, rule))
            else:
                self.done[name] += 1
                self.journal.note(ABOUT, name)
        self._waiting = still

    def _post(self, body: dict[str, Any]) -> bool:
        try:
            url = self.facts.standin_url + "/_faults"
            return call(self._web, "POST", url, json=body).ok
        except NotRight:
            return False
