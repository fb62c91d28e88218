"""The allocation as a mixed-integer program for HiGHS. See ``allocate``."""

from collections import defaultdict

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from matching.allocation.problem import (
    JOB_COST,
    REST_COST,
    RESTS,
    SHARE_STEPS,
    SHORT_PENALTY,
    Answer,
    Problem,
)

# Relative distance to the proven best at which the search may end.
GAP = 2e-3
# The search ends by nodes first, so that the same input gives the same plan on a fast
# and on a slow machine; the clock is the second limit.
NODES = 3_000


class _Model:
    """Rows and columns of the program while it is being written."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.upper: list[float] = []
        self.integer: list[int] = []
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.values: list[float] = []
        self.low: list[float] = []
        self.high: list[float] = []

    def column(self, cost: float, upper: float, *, integer: bool = True) -> int:
        self.cost.append(cost)
        self.upper.append(upper)
        self.integer.append(int(integer))
        return len(self.cost) - 1

    def row(
        self,
        terms: list[tuple[int, float]],
        low: float = -np.inf,
        high: float = np.inf,
    ) -> None:
        for column, value in terms:
            self.rows.append(len(self.low))
            self.columns.append(column)
            self.values.append(value)
        self.low.append(low)
        self.high.append(high)

    def constraint(self) -> LinearConstraint:
        shape = (len(self.low), len(self.cost))
        matrix = coo_array((self.values, (self.rows, self.columns)), shape=shape)
        return LinearConstraint(matrix.tocsc(), self.low, self.high)


def solve(problem: Problem) -> tuple[Answer, bool] | None:
    """Pieces by (lot, workshop) and whether they are proven best (within ``GAP``).

    None when HiGHS found no answer within its limits.
    """
    model = _Model()
    pieces = {
        pair: model.column(-worth, problem.room(*pair))
        for pair, worth in problem.pairs.items()
    }
    rests = _job_rules(model, problem, pieces)
    _needs(model, problem, pieces, rests)
    _capacities(model, problem, pieces)
    if problem.rules.fairness > 0:
        _fairness(model, problem, pieces)
    result = milp(
        c=np.array(model.cost),
        constraints=model.constraint(),
        integrality=np.array(model.integer),
        bounds=Bounds(0, np.array(model.upper)),
        options={
            "time_limit": problem.rules.seconds,
            "mip_rel_gap": GAP,
            "node_limit": NODES,
            "presolve": True,
        },
    )
    if result.x is None:
        return None
    answer = {pair: round(float(result.x[column])) for pair, column in pieces.items()}
    return {pair: n for pair, n in answer.items() if n > 0}, result.status == 0


def _job_rules(
    model: _Model, problem: Problem, pieces: dict[tuple[int, int], int]
) -> dict[tuple[int, int], int]:
    """A job is nothing, or from the smallest lot to its room; a few may be rests."""
    low = problem.rules.min_lot
    by_lot: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pair in pieces:
        by_lot[pair[0]].append(pair)
    rests: dict[tuple[int, int], int] = {}
    for pairs in by_lot.values():
        ranked = sorted(pairs, key=lambda pair: (-problem.pairs[pair], pair))
        for pair in ranked[:RESTS]:
            rests[pair] = model.column(REST_COST, 1)
    for pair, column in pieces.items():
        room = problem.room(*pair)
        job = model.column(JOB_COST, 1 if room >= low else 0)
        rest = [(rests[pair], 1.0)] if pair in rests else []
        model.row(
            [(column, 1.0), (job, -float(room))]
            + [(one, -float(min(low - 1, room))) for one, _ in rest],
            high=0,
        )
        model.row(
            [(column, 1.0), (job, -float(low))] + [(one, -1.0) for one, _ in rest],
            low=0,
        )
        if rest:
            model.row([(job, 1.0), *rest], high=1)
    return rests


def _needs(
    model: _Model,
    problem: Problem,
    pieces: dict[tuple[int, int], int],
    rests: dict[tuple[int, int], int],
) -> None:
    """Placed and short pieces make the need; a rest only where nothing stays short."""
    by_lot: dict[int, list[int]] = defaultdict(list)
    rests_of: dict[int, list[int]] = defaultdict(list)
    for pair, column in pieces.items():
        by_lot[pair[0]].append(column)
    for pair, column in rests.items():
        rests_of[pair[0]].append(column)
    for lot in problem.lots.values():
        short = model.column(SHORT_PENALTY, lot.quantity)
        terms = [(column, 1.0) for column in by_lot[lot.id]]
        model.row([*terms, (short, 1.0)], lot.quantity, lot.quantity)
        if rests_of[lot.id]:
            ones = [(column, 1.0) for column in rests_of[lot.id]]
            model.row(ones, high=1)
            most = float(lot.quantity)
            model.row(
                [(short, 1.0)] + [(one, most) for one, _ in ones], high=lot.quantity
            )


def _capacities(
    model: _Model, problem: Problem, pieces: dict[tuple[int, int], int]
) -> None:
    """All work of a workshop due by a day fits into what it can make until then."""
    by_maker: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for (lot, workshop), column in pieces.items():
        by_maker[workshop].append((problem.lots[lot].due, column))
    for workshop, dated in by_maker.items():
        if len(dated) == 1:
            continue  # its own upper bound says it already
        for day in sorted({due for due, _ in dated}):
            free = problem.makers[workshop].free.get(day, 0)
            terms = [(column, 1.0) for due, column in dated if due <= day]
            model.row(terms, high=free)


def _fairness(
    model: _Model, problem: Problem, pieces: dict[tuple[int, int], int]
) -> None:
    """Pieces beyond each step of the fair share cost more and more."""
    by_maker: dict[int, list[int]] = defaultdict(list)
    for (_, workshop), column in pieces.items():
        by_maker[workshop].append(column)
    for workshop, columns in by_maker.items():
        had, share = problem.makers[workshop].had, problem.shares[workshop]
        for step, cost in SHARE_STEPS:
            over = model.column(cost * problem.rules.fairness, np.inf, integer=False)
            terms = [(column, 1.0) for column in columns]
            # Load beyond the step before this plan is a constant and is left out.
            high = max(step * share - had, 0.0)
            model.row([*terms, (over, -1.0)], high=high)
