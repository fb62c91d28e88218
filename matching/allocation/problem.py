"""The allocation problem: its parts, its rules, and what an answer is worth."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

# Objective in units of "one piece at a perfect score".
SHORT_PENALTY = 10.0  # a piece that nobody makes
JOB_COST = 3.0  # one more delivery to book, count and grade
REST_COST = 8.0  # a job below the smallest lot; less than one missing piece
# Fairness: cost of each piece beyond these multiples of the fair share, at weight 1.
SHARE_STEPS = ((1.0, 0.15), (1.5, 0.45), (3.0, 0.9))
# Equal scores are ordered by the seed; a difference of a hundredth is never overturned.
JITTER = 1e-3
# A lot with very many candidates is reduced to its best and some others at random: at
# least so many, and enough to make the whole plan so many times over. Keeping only some
# dozens where work is tight leaves pieces unplaced that could be placed.
BEST, OTHERS, ROOM = 60, 30, 3
# Of so many of the best candidates of a lot one may get a rest below the smallest lot.
RESTS = 40


@dataclass(frozen=True)
class Lot:
    """Work to split: ``quantity`` pieces, all due on day ``due`` (any comparable int)."""

    id: int
    quantity: int
    due: int


@dataclass(frozen=True)
class Maker:
    """A workshop: ``free`` maps each due day to the pieces it can make until then.

    ``had`` is the pieces it was given lately and ``weekly`` its stated capacity; both
    serve fairness only.
    """

    id: int
    free: Mapping[int, int]
    weekly: int = 1
    had: float = 0.0


@dataclass(frozen=True)
class Rules:
    """Lot rules in pieces, fairness 0..1, seed for ties, and the solver's time limit."""

    min_lot: int = 30
    max_lot: int = 100
    fairness: float = 0.5
    seed: int = 1
    seconds: float = 20.0


@dataclass(frozen=True)
class Placement:
    """``quantity`` pieces of a lot for a workshop; ``reason`` if below the smallest lot."""

    lot: int
    workshop: int
    quantity: int
    reason: str = ""


@dataclass(frozen=True)
class Allocation:
    """The answer: what goes where, what stays short, and how it was found.

    ``shares`` are the fair shares (pieces, lately had and new together) by workshop.
    ``optimal`` is False when a limit ended the search; ``method`` is milp or greedy.
    """

    placements: tuple[Placement, ...]
    short: Mapping[int, int]
    shares: Mapping[int, float]
    objective: float
    method: str
    optimal: bool


@dataclass
class Problem:
    """The instance as the solvers see it: ``pairs`` maps (lot, workshop) to its worth."""

    lots: dict[int, Lot]
    makers: dict[int, Maker]
    pairs: dict[tuple[int, int], float]
    rules: Rules
    shares: dict[int, float] = field(default_factory=dict)

    def room(self, lot: int, workshop: int) -> int:
        """Most pieces this one job may have."""
        free = self.makers[workshop].free.get(self.lots[lot].due, 0)
        return max(min(self.lots[lot].quantity, self.rules.max_lot, free), 0)

    def due_days(self) -> list[int]:
        """The different due days, first to last."""
        return sorted({lot.due for lot in self.lots.values()})


Answer = dict[tuple[int, int], int]


def build(
    lots: Iterable[Lot],
    makers: Iterable[Maker],
    scores: Mapping[tuple[int, int], float],
    rules: Rules,
) -> Problem:
    """Keep the pairs that can be used, with ties ordered by the seed."""
    problem = Problem(
        {lot.id: lot for lot in sorted(lots, key=lambda lot: lot.id)},
        {maker.id: maker for maker in sorted(makers, key=lambda maker: maker.id)},
        {},
        rules,
    )
    random = Random(rules.seed)  # noqa: S311  (ties, not secrets)
    ties = {maker: random.random() * JITTER for maker in problem.makers}
    for (lot, workshop), score in sorted(scores.items()):
        if problem.room(lot, workshop) > 0:
            problem.pairs[lot, workshop] = score + ties[workshop]
    problem.shares = fair_shares(problem)
    _thin_out(problem, random)
    return problem


def fair_shares(problem: Problem) -> dict[int, float]:
    """Each candidate's part of all work, lately had and new, by its stated capacity.

    At least one piece, so that a share can be compared with.
    """
    candidates = sorted({workshop for _, workshop in problem.pairs})
    need = sum(lot.quantity for lot in problem.lots.values())
    total = need + sum(problem.makers[one].had for one in candidates)
    weekly = sum(problem.makers[one].weekly for one in candidates) or 1
    return {
        one: max(total * problem.makers[one].weekly / weekly, 1.0) for one in candidates
    }


def _thin_out(problem: Problem, random: Random) -> None:
    """Of very many candidates for a lot keep the best, and some others at random.

    The best are as many as could make the work of all lots several times over, because
    lots compete for the same workshops and thinning must never cause a shortage.
    """
    need = sum(lot.quantity for lot in problem.lots.values())
    for lot in problem.lots.values():
        ranked = sorted(
            (pair for pair in problem.pairs if pair[0] == lot.id),
            key=lambda pair: (-marginal(problem, pair, 0), pair),
        )
        room, keep = 0, 0
        while keep < len(ranked) and (keep < BEST or room < ROOM * need):
            room += problem.room(*ranked[keep])
            keep += 1
        tail = ranked[keep:]
        lucky = set(random.sample(tail, min(OTHERS, len(tail))))
        for pair in tail:
            if pair not in lucky:
                del problem.pairs[pair]


def marginal(problem: Problem, pair: tuple[int, int], given: int) -> float:
    """Worth of the next piece for this pair when the workshop has ``given`` new ones."""
    load = problem.makers[pair[1]].had + given
    share = problem.shares[pair[1]]
    uneven = sum(cost for step, cost in SHARE_STEPS if load >= step * share)
    return problem.pairs[pair] - problem.rules.fairness * uneven


def objective(problem: Problem, answer: Answer) -> float:
    """What an answer is worth, by the same terms for every way of finding it."""
    rules = problem.rules
    placed: dict[int, int] = defaultdict(int)
    given: dict[int, int] = defaultdict(int)
    worth = 0.0
    for (lot, workshop), pieces in answer.items():
        cost = REST_COST if pieces < rules.min_lot else JOB_COST
        worth += problem.pairs[lot, workshop] * pieces - cost
        placed[lot] += pieces
        given[workshop] += pieces
    missing = sum(lot.quantity - placed[lot.id] for lot in problem.lots.values())
    uneven = sum(
        added_cost(problem.shares[workshop], problem.makers[workshop].had, pieces)
        for workshop, pieces in given.items()
    )
    return worth - SHORT_PENALTY * missing - rules.fairness * uneven


def added_cost(share: float, load: float, pieces: int) -> float:
    """Cost, at fairness 1, of ``pieces`` more for who has ``load`` against ``share``."""
    return sum(
        cost * (max(load + pieces - step * share, 0) - max(load - step * share, 0))
        for step, cost in SHARE_STEPS
    )


class Books:
    """What is given so far, and what a workshop can still take."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.days = problem.due_days()
        self.given: dict[int, int] = defaultdict(int)
        self.by_day: dict[tuple[int, int], int] = defaultdict(int)

    def room(self, lot: int, workshop: int) -> int:
        """Most pieces of this lot that break no due day of the workshop."""
        due = self.problem.lots[lot].due
        free = self.problem.makers[workshop].free
        slack, sum_to_day = self.problem.room(lot, workshop), 0
        for day in self.days:
            sum_to_day += self.by_day[workshop, day]
            if day >= due:
                slack = min(slack, free.get(day, 0) - sum_to_day)
        return max(slack, 0)

    def give(self, lot: int, workshop: int, pieces: int) -> None:
        self.given[workshop] += pieces
        self.by_day[workshop, self.problem.lots[lot].due] += pieces


def is_allowed(problem: Problem, answer: Answer) -> bool:
    """Whether an answer keeps every rule; a solver's rounding is never trusted."""
    low = problem.rules.min_lot
    books = Books(problem)
    for lot in problem.lots.values():
        jobs = {pair: n for pair, n in answer.items() if pair[0] == lot.id}
        small = [n for n in jobs.values() if n < low]
        total = sum(jobs.values())
        if total > lot.quantity or len(small) > 1 or (small and total < lot.quantity):
            return False
        for pair, pieces in jobs.items():
            if not 0 < pieces <= books.room(*pair):
                return False
            books.give(*pair, pieces)
    return True
