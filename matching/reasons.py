"""Why a workshop got a job, and why another did not: sentences from the computation.

Nothing is said that did not enter the decision. Reasons are ordered by how much they
moved it, in points of the score (of 100).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from matching.allocation import Allocation, Maker, Rules
from matching.enums import Dimension, Obstacle
from matching.queries import LATELY_DAYS, Score
from matching.scores import LEARNED, WEIGHTS, DimensionValue, percent, standing

# Below this, a dimension did not move the decision and is not given as a reason.
WORTH_SAYING = 0.0025


@dataclass(frozen=True)
class Lowest:
    """The weakest choice of a lot: what the others are compared with."""

    score: float
    workshop: int


def for_proposal(
    score: Score,
    rank: int,
    of: int,
    free_sentence: str,
    maker: Maker,
    share: float | None,
    rules: Rules,
) -> list[str]:
    """Sentences for a chosen workshop, strongest first.

    ``rank`` of ``of`` eligible workshops by score; ``share`` is its fair share of the
    work in pieces, ``maker.had`` what it had lately.
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
    if rules.fairness > 0 and share is not None:
        lines.append(_fair(maker, share, rules))
    return lines


def _moved(value: DimensionValue) -> float:
    """By how much a dimension moved the score away from a workshop like the network."""
    if value.network is None or value.value is None:
        return 0.0
    return WEIGHTS[value.dimension] * (standing(value) - value.network)


def _dimension(value: DimensionValue, moved: float) -> str:
    points = abs(moved) * 100
    effect = f"{'+' if moved > 0 else '-'}{points:.1f} points"
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


def _fair(maker: Maker, share: float, rules: Rules) -> str:
    had, fair = round(maker.had), round(share)
    weight = f"fairness {rules.fairness:.2g}"
    weeks = LATELY_DAYS // 7
    if had < fair:
        return (
            f"Had {had:,} pieces in {weeks} weeks, its fair share is {fair:,}: "
            f"more work evens out incomes ({weight})."
        )
    return (
        f"Had {had:,} pieces in {weeks} weeks, more than its fair share of {fair:,}; "
        f"chosen all the same ({weight})."
    )


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
    maker: Maker,
    allocation: Allocation,
    rules: Rules,
) -> tuple[Obstacle, str]:
    """Why an eligible workshop got nothing of a lot. Numbers are the solver's own.

    ``free`` is what it could take of this lot alone, ``left`` what remains of that after
    the other work that this plan gives it.
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
    share = allocation.shares.get(maker.id)
    over = share is not None and maker.had + rules.min_lot > share
    if score < lowest.score - 0.0005:
        return (
            Obstacle.OUTSCORED,
            f"Score {percent1(score)}; the lowest chosen has {percent1(lowest.score)}.",
        )
    if rules.fairness > 0 and over and share is not None:
        return (
            Obstacle.SHARE,
            f"Score {percent1(score)}, but had {round(maker.had):,} pieces in "
            f"{LATELY_DAYS // 7} weeks; one more lot would pass its fair share of "
            f"{round(share):,} (fairness {rules.fairness:.2g}).",
        )
    return (
        Obstacle.COVERED,
        f"Score {percent1(score)}; the need is covered in fewer or larger lots.",
    )


def percent1(share: float) -> str:
    """0.8712 as "87.1": close scores must not look equal."""
    return f"{share * 100:.1f}"


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
