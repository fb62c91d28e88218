"""Sentences on a workshop's fair share, and on why a lot has the size it has.

The numbers are those of the allocation: what a lot costs in fairness is what the
objective charges for it (``matching.allocation.problem``).
"""

from dataclasses import dataclass

from matching.allocation import SHARE_STEPS, Rules, added_cost
from matching.queries import LATELY_DAYS


@dataclass(frozen=True)
class Load:
    """A lot of ``lot`` pieces against a workshop's fair share; all in pieces.

    ``had`` was given lately, ``other`` is other work of the same plan.
    """

    had: int
    other: int
    lot: int
    share: float

    @property
    def before(self) -> int:
        return self.had + self.other

    @property
    def after(self) -> int:
        return self.before + self.lot

    @property
    def fair(self) -> int:
        """The share in whole pieces: a load is above it just when it is above this."""
        return int(self.share)

    def lost(self, rules: Rules) -> float:
        """What fairness takes off the score (0..1) of each piece of the lot."""
        return (
            rules.fairness
            * added_cost(self.share, self.before, self.lot)
            / max(self.lot, 1)
        )


@dataclass(frozen=True)
class Cut:
    """Where a lot comes from: the work order's open ``need``, split into ``lots``.

    ``short`` pieces of it nobody makes; ``left`` is what the workshop stays free for.
    """

    need: int
    lots: int
    short: int
    left: int


def points(share: float) -> str:
    """0.8712 as "87.1": close scores must not look equal."""
    return f"{share * 100:.1f}"


def for_chosen(load: Load, rules: Rules) -> str:
    """How the lot of a chosen workshop stands to its fair share."""
    weight = f"(fairness {rules.fairness:.2g})"
    lost = f"{points(load.lost(rules))} points off its score for these {weight}."
    if load.before >= load.fair:
        where = "above" if load.before > load.fair else "at"
        return (
            f"{_had(load)}, already {where} its fair share of {load.fair:,}; "
            f"these {load.lot:,} make {load.after:,}: {lost}"
        )
    if load.after > load.fair:
        return f"{_had(load)}; {_passing(load, 'these', 'take')}: {lost}"
    where = "below" if load.after < load.fair else "just"
    return (
        f"{_had(load)}; with these {load.lot:,} it has {load.after:,}, {where} its fair "
        f"share of {load.fair:,}: nothing off its score {weight}."
    )


def for_refused(load: Load, score: float, lowest: float, rules: Rules) -> str:
    """Why its fair share kept a workshop from a lot; at most 200 characters.

    ``lowest`` is the least that a chosen lot counts: score less what fairness takes off.
    """
    counts = (
        f"counts {points(score - load.lost(rules))}, the chosen {points(lowest)} or more "
        f"(fairness {rules.fairness:.2g})."
    )
    if load.before >= load.fair:
        where = "above" if load.before > load.fair else "at"
        return (
            f"Score {points(score)}. {_had(load)}, already {where} its fair share of "
            f"{load.fair:,}: with {load.lot:,} more it {counts}"
        )
    passing = _passing(load, "a lot of", "would take")
    return f"Score {points(score)}. {_had(load)}; {passing}: it {counts}"


def for_quantity(load: Load, cut: Cut, rules: Rules) -> str:
    """Why the lot has this size: the limit it ends at, or what others leave."""
    return f"Planned {load.lot:,} pieces: {_limit(load, cut, rules)}."


def _limit(load: Load, cut: Cut, rules: Rules) -> str:
    if load.lot == cut.need:
        return "the whole work order"
    if load.lot < rules.min_lot:
        return (
            f"the rest of the work order, below the smallest lot of {rules.min_lot:,}"
        )
    if load.lot == rules.max_lot:
        return "the largest lot allowed"
    if not cut.left:
        if load.other:
            return "all the capacity that other work of this plan leaves free"
        return "all its free capacity before the due date"
    for step, _ in SHARE_STEPS:
        if rules.fairness > 0 and load.after == int(step * load.share):
            times = "" if step == 1 else f"{step:g} times "
            return f"as many as take it to {times}its fair share"
    if load.lot == rules.min_lot:
        return "the smallest lot allowed"
    if cut.short:
        return f"its part of {cut.need:,} in the best split found"
    others = (
        "other lot leaves" if cut.lots == 2 else f"other {cut.lots - 1:,} lots leave"
    )
    return f"what the {others} of {cut.need:,}"


def _had(load: Load) -> str:
    more = f" and {load.other:,} more in this plan" if load.other else ""
    return f"Had {load.had:,} pieces in {LATELY_DAYS // 7} weeks{more}"


def _passing(load: Load, lot: str, take: str) -> str:
    over = load.after - load.fair
    return (
        f"{lot} {load.lot:,} {take} it to {load.after:,}, {over:,} over its fair share "
        f"of {load.fair:,}"
    )
