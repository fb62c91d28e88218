"""Rules of the allocation that hold for every input, and what fairness does."""

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching.allocation import Allocation, Lot, Maker, Rules, allocate

SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@st.composite
def instances(draw):
    """Some lots due on up to three days, workshops with rising free capacity, scores."""
    lots = [
        Lot(number, draw(st.integers(1, 260)), draw(st.sampled_from([7, 14, 21])))
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]
    makers = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        steps = draw(st.lists(st.integers(0, 90), min_size=3, max_size=3))
        free = {day: sum(steps[: index + 1]) for index, day in enumerate((7, 14, 21))}
        makers.append(
            Maker(
                number,
                free,
                weekly=draw(st.integers(1, 90)),
                had=draw(st.integers(0, 300)),
            )
        )
    scores = {
        (lot.id, maker.id): draw(st.floats(0, 1))
        for lot in lots
        for maker in makers
        if draw(st.booleans())
    }
    low = draw(st.sampled_from([1, 10, 30]))
    rules = Rules(
        low,
        draw(st.sampled_from([low, 60, 100])),
        draw(st.sampled_from([0.0, 0.5, 1.0])),
        seconds=5,
    )
    return lots, makers, scores, rules


def check(lots, makers, scores, rules, found: Allocation) -> None:
    placed: dict[int, int] = defaultdict(int)
    due = {lot.id: lot.due for lot in lots}
    free = {maker.id: maker.free for maker in makers}
    load: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for one in found.placements:
        assert (one.lot, one.workshop) in scores
        assert 0 < one.quantity <= rules.max_lot
        assert (one.quantity < rules.min_lot) == bool(one.reason)
        placed[one.lot] += one.quantity
        load[one.workshop].append((due[one.lot], one.quantity))
    for lot in lots:
        assert placed[lot.id] <= lot.quantity
        assert placed[lot.id] + found.short[lot.id] == lot.quantity
        small = [one for one in found.placements if one.lot == lot.id and one.reason]
        assert len(small) <= 1
        assert not small or not found.short[lot.id]
    for workshop, dated in load.items():
        for day in (7, 14, 21):
            made = sum(pieces for until, pieces in dated if until <= day)
            assert made <= free[workshop][day]


@SETTINGS
@given(instances())
def test_every_answer_keeps_every_rule(instance):
    check(*instance, allocate(*instance))


@SETTINGS
@given(instances())
def test_so_does_the_answer_without_a_solver(instance):
    found = allocate(*instance, solver=lambda problem: None)
    assert found.method == "greedy"
    check(*instance, found)
    assert allocate(*instance).objective >= found.objective - 1e-6


@SETTINGS
@given(instances())
def test_the_same_seed_gives_the_same_answer(instance):
    assert allocate(*instance).placements == allocate(*instance).placements


def test_an_answer_that_breaks_a_rule_is_not_taken():
    found = allocate(
        [Lot(1, 100, 7)],
        [Maker(1, {7: 50})],
        {(1, 1): 0.9},
        Rules(),
        solver=lambda problem: ({(1, 1): 100}, True),
    )
    assert (found.method, found.short[1]) == ("greedy", 50)


@pytest.mark.parametrize(
    "rules", [Rules(min_lot=0), Rules(min_lot=50, max_lot=40), Rules(fairness=2)]
)
def test_rules_that_make_no_sense_are_an_error(rules: Rules):
    with pytest.raises(ValueError, match="no sense"):
        allocate([], [], {}, rules)


def test_nobody_means_all_of_it_is_short():
    found = allocate([Lot(1, 40, 7)], [], {}, Rules())
    assert dict(found.short) == {1: 40}


def gini(loads: list[float]) -> float:
    loads = sorted(loads)
    count, total = len(loads), sum(loads)
    weighed = sum((2 * i - count + 1) * load for i, load in enumerate(loads))
    return weighed / (count * total)


def test_more_fairness_spreads_the_work_more_evenly():
    makers = [
        Maker(number, {14: 200}, weekly=50, had=60 * (number % 4))
        for number in range(1, 41)
    ]
    scores = {(1, maker.id): 0.6 + 0.008 * (maker.id % 41) for maker in makers}
    uneven = []
    for fairness in (0.0, 0.5, 1.0):
        rules = Rules(fairness=fairness)
        found = allocate([Lot(1, 1_200, 14)], makers, scores, rules)
        assert not found.short[1]
        given_to = {one.workshop: one.quantity for one in found.placements}
        loads = [maker.had + given_to.get(maker.id, 0) for maker in makers]
        uneven.append(gini(loads))
    assert all(more > less for more, less in pairwise(uneven))
