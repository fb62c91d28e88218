"""The quick answer: lot by lot, to whom the next pieces are worth most."""

from collections import defaultdict

from matching.allocation.problem import (
    Answer,
    Books,
    Lot,
    Problem,
    marginal,
    objective,
)


def greedy(problem: Problem) -> Answer:
    """Lot by lot, earliest due first; keeps every rule, needs no solver.

    Tried with the largest lots and, where fairness counts, with lots that stop at the
    fair share; the better answer wins.
    """
    answers = [_attempt(problem, within_share=False)]
    if problem.rules.fairness > 0:
        answers.append(_attempt(problem, within_share=True))
    return max(answers, key=lambda answer: objective(problem, answer))


def _attempt(problem: Problem, *, within_share: bool) -> Answer:
    books, answer = Books(problem), Answer()
    pairs_of: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pair in problem.pairs:
        pairs_of[pair[0]].append(pair)
    order = sorted(problem.lots.values(), key=lambda lot: (lot.due, lot.id))
    for lot in order:
        ranked = sorted(
            pairs_of[lot.id],
            key=lambda pair: (
                -marginal(problem, pair, books.given[pair[1]]),
                pair,
            ),
        )
        left = _fill(problem, books, answer, lot, ranked, within_share)
        left = _top_up(books, answer, lot, left)
        _place_rest(problem, books, answer, lot, ranked, left)
    return answer


def _fill(
    problem: Problem,
    books: Books,
    answer: Answer,
    lot: Lot,
    ranked: list[tuple[int, int]],
    within_share: bool,
) -> int:
    """Lots down the ranking; returns what is left."""
    low, left = problem.rules.min_lot, lot.quantity
    for pair in ranked:
        take = min(books.room(*pair), left)
        if within_share:
            had = problem.makers[pair[1]].had + books.given[pair[1]]
            take = min(take, max(int(problem.shares[pair[1]] - had), low))
        if 0 < left - take < low and left >= 2 * low:
            # Leave enough for one more proper lot.
            take = min(take, left - low)
        if take >= low:
            answer[pair] = take
            books.give(*pair, take)
            left -= take
    return left


def _top_up(books: Books, answer: Answer, lot: Lot, left: int) -> int:
    """Small rests go to those who hold a lot already."""
    for pair in [pair for pair in answer if pair[0] == lot.id]:
        most = books.problem.room(*pair) - answer[pair]
        more = min(left, most, books.room(*pair))
        if more > 0:
            answer[pair] += more
            books.give(*pair, more)
            left -= more
    return left


def _place_rest(
    problem: Problem,
    books: Books,
    answer: Answer,
    lot: Lot,
    ranked: list[tuple[int, int]],
    left: int,
) -> None:
    """One job below the smallest lot, if it closes the work order."""
    if not 0 < left < problem.rules.min_lot:
        return
    for pair in ranked:
        if pair not in answer and books.room(*pair) >= left:
            answer[pair] = left
            books.give(*pair, left)
            return
