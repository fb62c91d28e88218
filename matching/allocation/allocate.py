"""Splitting work over workshops: pure functions over numbers, no database.

The problem. Lots (the open quantity of one component) are to be split into jobs of at
least ``min_lot`` and at most ``max_lot`` pieces, so that no workshop gets more than it
can make before each due date. In order of weight: nothing stays short; good scores get
the work; few jobs (each costs headquarters a delivery to book, count and grade); and, by
the fairness weight, nobody gets far more than the share of its capacity.

Solved as a mixed-integer program by HiGHS (``scipy.optimize.milp``). A greedy answer is
always computed too and wins when the solver has found nothing better within its limit:
measured on large instances a solver that runs out of time is far worse than greedy.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from matching.allocation.greedy import greedy
from matching.allocation.problem import (
    Allocation,
    Answer,
    Lot,
    Maker,
    Placement,
    Problem,
    Rules,
    build,
    is_allowed,
    objective,
)
from matching.allocation.solver import solve

Solver = Callable[[Problem], tuple[Answer, bool] | None]


def allocate(
    lots: Iterable[Lot],
    makers: Iterable[Maker],
    scores: Mapping[tuple[int, int], float],
    rules: Rules,
    solver: Solver = solve,
) -> Allocation:
    """Split the lots over the workshops of ``scores`` ((lot, workshop) -> 0..1).

    Never above what a workshop can make before a due date, never above a lot's need,
    never below the smallest lot but for the last pieces of a lot, which then carry a
    reason. The same input and seed give the same answer, unless the time limit ended the
    search (``optimal`` is False then). Raises ValueError for rules that make no sense.
    """
    if not (1 <= rules.min_lot <= rules.max_lot and 0 <= rules.fairness <= 1):
        raise ValueError("rules make no sense")
    problem = build(lots, makers, scores, rules)
    best, method, optimal = greedy(problem), "greedy", False
    if problem.pairs:
        found = solver(problem)
        if found and is_allowed(problem, found[0]):
            better = objective(problem, found[0]) >= objective(problem, best) - 1e-9
            if better:
                best, method, optimal = found[0], "milp", found[1]
    else:
        optimal = True
    placed: dict[int, int] = defaultdict(int)
    for (lot, _), pieces in best.items():
        placed[lot] += pieces
    return Allocation(
        placements=tuple(
            Placement(lot, workshop, pieces, _rest_reason(problem, pieces))
            for (lot, workshop), pieces in sorted(best.items())
        ),
        short={lot.id: lot.quantity - placed[lot.id] for lot in problem.lots.values()},
        shares=problem.shares,
        objective=objective(problem, best),
        method=method,
        optimal=optimal,
    )


def _rest_reason(problem: Problem, pieces: int) -> str:
    if pieces >= problem.rules.min_lot:
        return ""
    return (
        f"The last {pieces} pieces of this work order; "
        f"the smallest lot is {problem.rules.min_lot}."
    )
