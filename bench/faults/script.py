"""What is going to be done, written down before anything starts: seeded stories.

A story is one order and how far it goes. Its fates are what becomes of its lots: the
n-th lot that the matcher proposes has the n-th fate, round and round. Which workshop
gets a lot is for the matcher to say; what is answered is said here.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum


class Until(StrEnum):
    """The last thing that is done to an order."""

    PLACED = "placed"
    CANCELLED = "cancelled"
    PLANNED = "planned"
    ANSWERED = "answered"
    BOOKED = "booked"
    RECEIVED = "received"
    GRADED = "graded"
    SHIPPED = "shipped"


class Answer(StrEnum):
    """What the workshop says to its offer."""

    ACCEPT = "accept"
    PART = "part"
    DECLINE = "decline"
    SILENCE = "silence"  # until the offer lapses
    NONE = "none"  # and the offer still stands at the end


@dataclass(frozen=True)
class Fate:
    """What becomes of one lot. Pieces are counted off what was offered."""

    answer: Answer = Answer.ACCEPT
    by_sms: bool = False
    left_out: int = 0  # of a part acceptance
    missing: int = 0  # declared, but not counted at headquarters
    b: int = 0
    rework: int = 0
    scrap: int = 0
    mended: bool = True  # rework comes back and is good

    @property
    def taken(self) -> bool:
        """Whether the workshop makes anything."""
        return self.answer in (Answer.ACCEPT, Answer.PART)


@dataclass(frozen=True)
class Story:
    """One order, and how far it goes."""

    po: str
    sku: str
    quantity: int
    until: Until
    fates: tuple[Fate, ...]

    def fate(self, place: int) -> Fate:
        """The fate of the n-th proposed lot."""
        return self.fates[place % len(self.fates)]


PERFECT = (Fate(), Fate(by_sms=True), Fate(b=1), Fate(rework=2))
MIXED = (
    Fate(),
    Fate(by_sms=True),
    Fate(Answer.PART, left_out=2),
    Fate(Answer.DECLINE),
    Fate(Answer.DECLINE, by_sms=True),
    Fate(Answer.SILENCE),
    Fate(Answer.NONE),
    Fate(missing=1),
    Fate(b=2, scrap=1),
    Fate(rework=2),
    Fate(rework=2, mended=False),
    Fate(rework=1, scrap=1, by_sms=True),
)
# Of fifty orders so many go so far.
SHARES = {
    Until.PLACED: 10,
    Until.CANCELLED: 5,
    Until.PLANNED: 4,
    Until.ANSWERED: 9,
    Until.BOOKED: 4,
    Until.RECEIVED: 4,
    Until.GRADED: 10,
    Until.SHIPPED: 4,
}


def write_stories(count: int, seed: int, prefix: str = "F") -> list[Story]:
    """``count`` stories in an order that the seed decides.

    From eight on, every way to end is among them.
    """
    rng = random.Random(f"stories {seed} {prefix}")
    ends = [until for until, share in SHARES.items() for _ in range(share)]
    rng.shuffle(ends)
    ends = (list(Until) + ends)[:count] if count < 20 else ends
    while len(ends) < count:
        ends.append(rng.choice(list(SHARES)))
    ends = ends[:count]
    rng.shuffle(ends)
    deck: list[Fate] = []
    stories = []
    for number, until in enumerate(ends, start=1):
        if until == Until.SHIPPED:
            fates = tuple(rng.sample(PERFECT, 2))
        else:
            fates = (_deal(deck, rng), _deal(deck, rng))
        # A necklace needs two kinds of made parts, a cuff one.
        sku = "HPN-01" if until == Until.SHIPPED and rng.random() < 0.5 else "BCF-02"
        quantity = rng.choice((8, 10, 10, 18))
        stories.append(Story(f"{prefix}-{number:03d}", sku, quantity, until, fates))
    return stories


def _deal(deck: list[Fate], rng: random.Random) -> Fate:
    """The next fate of a shuffled deck, so that none is missing."""
    if not deck:
        deck += rng.sample(MIXED, len(MIXED))
    return deck.pop()
