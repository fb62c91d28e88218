"""Why a workshop got a job, and why another did not: sentences from the computation.

Nothing is said that did not enter the decision. Reasons are ordered by how much they
moved it, in points of the score (of 100).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from matching import sharing
from matching.allocation import Rules
from matching.enums import Dimension, Obstacle
from matching.queries import Score
from matching.scores import LEARNED, WEIGHTS, DimensionValue, percent, standing
from matching.sharing import Cut, Load, points

# Below this, a dimension did not move the decision and is not given as a reason.
WORTH_SAYING = 0.0025


@dataclass(frozen=True)
class Lowest:
    """The weakest choices of a lot: what the others are compared with.

    ``score`` is the lowest score chosen. ``counts`` is the lowest after what the fair
    share takes off, and ``quantity`` the pieces of the workshop it belongs to.
    """

    score: float
    counts: float
    quantity: int


def for_proposal(
    score: Score,
    rank: int,
    of: int,
    free_sentence: str,
    load: Load,
    cut: Cut,
    rules: Rules,
) -> list[str]:
    """Sentences for a chosen workshop: strongest first, why this quantity last.

    ``rank`` of ``of`` eligible workshops by score.
    """
    weighed = [
        (abs(moved), _dimension(score.dimensions[one], moved))
        for one in Dimension
        if abs(moved := _moved(score.dimensions[one])) >= WORTH_SAYING
    ]
    weighed.sort(key=lambda pair: -pair[0])
    lines = [
        f"Score {percent(score.value)}: {_ordinal(rank)} of {of} that can make it."
    ]
    lines += [sentence for _, sentence in weighed]
    lines += _unknown(score)
    lines.append(free_sentence)
    if rules.fairness > 0:
        lines.append(sharing.for_chosen(load, rules))
    lines.append(sharing.for_quantity(load, cut, rules))
    return lines


def _moved(value: DimensionValue) -> float:
    """By how much a dimension moved the score away from a workshop like the network."""
    if value.network is None or value.value is None:
        return 0.0
    return WEIGHTS[value.dimension] * (standing(value) - value.network)


def _dimension(value: DimensionValue, moved: float) -> str:
    moved_by = abs(moved) * 100
    effect = f"{'+' if moved > 0 else '-'}{moved_by:.1f} points"
    against = f"network {percent(value.network or 0)}"
    return (
        f"{value.label} {percent(value.value or 0)} against {against} "
        f"({value.n:,} {value.unit}, {value.window}): {effect}."
    )


def _unknown(score: Score) -> list[str]:
    new = [
        value.label.lower()
        for one in LEARNED
        if not (value := score.dimensions[one]).n and value.network is not None
    ]
    if not new:
        return []
    if len(new) == len(LEARNED):
        return ["No history yet: taken to be as good as the network until it is known."]
    return [f"No history yet for {_listed(new)}: taken to be as the network."]


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _ordinal(number: int) -> str:
    ending = "th"
    if number % 100 not in (11, 12, 13):
        ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def for_passed_over(
    score: float,
    free: int,
    left: int,
    lowest: Lowest | None,
    load: Load,
    rules: Rules,
) -> tuple[Obstacle, str]:
    """Why an eligible workshop got nothing of a lot. Numbers are the solver's own.

    ``free`` is what it could take of this lot alone, ``left`` what remains of that after
    the other work that this plan gives it. ``load`` is with a lot like that of the
    chosen workshop that counts least.
    """
    if free < rules.min_lot:
        return (
            Obstacle.MIN_LOT,
            f"Free for {free:,} pieces; the smallest lot is {rules.min_lot:,}.",
        )
    if left < rules.min_lot:
        return (
            Obstacle.USED,
            f"Free for {free:,} pieces; other work of this plan leaves {left:,}.",
        )
    if lowest is None:
        return Obstacle.COVERED, "Nothing of this work order was placed."
    if score < lowest.score - 0.0005:
        return (
            Obstacle.OUTSCORED,
            f"Score {points(score)}; the lowest chosen has {points(lowest.score)}.",
        )
    if score - load.lost(rules) < lowest.counts - 0.0005:
        return (
            Obstacle.SHARE,
            sharing.for_refused(load, score, lowest.counts, rules),
        )
    return (
        Obstacle.COVERED,
        f"Score {points(score)}; the need is covered in fewer or larger lots.",
    )


def for_shortage(
    short: int,
    quantity: int,
    free: Mapping[int, int],
    rules: Rules,
    due: str,
) -> str:
    """Why pieces of a lot stay short. ``free`` by eligible workshop, before the plan."""
    if not short:
        return ""
    if not free:
        return "No workshop can take it: see the reasons of those passed over."
    usable = sum(min(one, rules.max_lot) for one in free.values())
    if usable < quantity:
        cap = (
            f" (at most {rules.max_lot:,} each)" if sum(free.values()) > usable else ""
        )
        return (
            f"The {len(free):,} workshops that can make it are free for {usable:,} "
            f"pieces until {due}{cap}; {quantity:,} are needed."
        )
    if short < rules.min_lot:
        return (
            f"The last {short:,} pieces fit into no lot of at least {rules.min_lot:,}."
        )
    return "Free capacity went to other work of this plan, or is split too small."
