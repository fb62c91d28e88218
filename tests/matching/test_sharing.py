"""What a plan says about fair shares and sizes agrees with its numbers."""

import re

import pytest

from matching import reasons, sharing
from matching.allocation import Rules
from matching.enums import Obstacle
from matching.reasons import Lowest
from matching.sharing import Cut, Load
from tests.builders import Network, build_order
from tests.matching.helpers import made_plan, pendants, write_history

RULES = Rules(min_lot=30, max_lot=100, fairness=0.5)


@pytest.mark.parametrize(
    ("load", "sentence"),
    [
        (
            Load(had=10, other=0, lot=60, share=172.4),
            "Had 10 pieces in 8 weeks; with these 60 it has 70, below its fair share of "
            "172: nothing off its score (fairness 0.5).",
        ),
        (
            Load(had=112, other=0, lot=60, share=172.4),
            "Had 112 pieces in 8 weeks; with these 60 it has 172, just its fair share "
            "of 172: nothing off its score (fairness 0.5).",
        ),
        (
            # 38 of 100 pieces beyond the share, 0.15 x 0.5 each: 0.0285 a piece.
            Load(had=110, other=0, lot=100, share=172),
            "Had 110 pieces in 8 weeks; these 100 take it to 210, 38 over its fair "
            "share of 172: 2.9 points off its score for these (fairness 0.5).",
        ),
        (
            # Beyond all three steps: 0.15 + 0.45 + 0.9, halved.
            Load(had=200, other=90, lot=40, share=57),
            "Had 200 pieces in 8 weeks and 90 more in this plan, already above its fair "
            "share of 57; these 40 make 330: 75.0 points off its score for these "
            "(fairness 0.5).",
        ),
    ],
)
def test_a_chosen_lot_is_held_against_the_share(load: Load, sentence: str):
    assert sharing.for_chosen(load, RULES) == sentence


@pytest.mark.parametrize(
    ("load", "obstacle", "detail"),
    [
        (
            # 86 of 100 beyond the share, 29 of them beyond 1.5 times: 0.12975 a piece.
            Load(had=100, other=0, lot=100, share=114),
            Obstacle.SHARE,
            "Score 80.0. Had 100 pieces in 8 weeks; a lot of 100 would take it to 200, "
            "86 over its fair share of 114: it counts 67.0, the chosen 70.0 or more "
            "(fairness 0.5).",
        ),
        (
            Load(had=290, other=0, lot=40, share=57),
            Obstacle.SHARE,
            "Score 80.0. Had 290 pieces in 8 weeks, already above its fair share of 57: "
            "with 40 more it counts 5.0, the chosen 70.0 or more (fairness 0.5).",
        ),
        (
            # It would pass its share, but that is not what kept it out.
            Load(had=100, other=0, lot=30, share=114),
            Obstacle.COVERED,
            "Score 80.0; the need is covered in fewer or larger lots.",
        ),
    ],
)
def test_the_share_is_given_as_a_reason_only_where_it_decided(load, obstacle, detail):
    lowest = Lowest(score=0.72, counts=0.70, quantity=load.lot)
    found = reasons.for_passed_over(0.8, 300, 300, lowest, load, RULES)
    assert found == (obstacle, detail)


def test_without_fairness_no_share_is_a_reason():
    load = Load(had=290, other=0, lot=40, share=57)
    rules = Rules(fairness=0)
    lowest = Lowest(score=0.8, counts=0.8, quantity=40)
    obstacle, _ = reasons.for_passed_over(0.8, 300, 300, lowest, load, rules)
    assert obstacle == Obstacle.COVERED


def test_the_longest_sentences_fit_their_column():
    for had in (900, 90_000):
        load = Load(had=had, other=9_500, lot=9_999, share=12_345)
        assert len(sharing.for_refused(load, 0.999, 0.888, Rules(fairness=0.55))) <= 200


@pytest.mark.parametrize(
    ("load", "cut", "why"),
    [
        (Load(0, 0, 80, 90), Cut(80, 1, 0, 9), "the whole work order"),
        (
            Load(0, 0, 20, 90),
            Cut(120, 2, 0, 9),
            "the rest of the work order, below the smallest lot of 30",
        ),
        (Load(0, 0, 100, 90), Cut(250, 3, 0, 9), "the largest lot allowed"),
        (
            Load(0, 0, 70, 90),
            Cut(250, 3, 0, 0),
            "all its free capacity before the due date",
        ),
        (
            Load(0, 50, 70, 90),
            Cut(250, 3, 0, 0),
            "all the capacity that other work of this plan leaves free",
        ),
        (
            Load(20, 0, 70, 90.6),
            Cut(250, 3, 0, 9),
            "as many as take it to its fair share",
        ),
        (
            Load(65, 0, 70, 90),
            Cut(250, 3, 0, 9),
            "as many as take it to 1.5 times its fair share",
        ),
        (Load(0, 0, 30, 90), Cut(250, 3, 0, 9), "the smallest lot allowed"),
        (Load(0, 0, 70, 90), Cut(250, 3, 0, 9), "what the other 2 lots leave of 250"),
        (Load(0, 0, 70, 90), Cut(170, 2, 0, 9), "what the other lot leaves of 170"),
        (
            Load(0, 0, 70, 90),
            Cut(250, 2, 9, 9),
            "its part of 250 in the best split found",
        ),
    ],
)
def test_why_a_lot_has_its_size(load: Load, cut: Cut, why: str):
    sentence = sharing.for_quantity(load, cut, RULES)
    assert sentence == f"Planned {load.lot} pieces: {why}."


@pytest.mark.django_db
@pytest.mark.parametrize("need", [40, 120, 170, 250])
@pytest.mark.parametrize("fairness", [0.3, 1])
def test_every_sentence_of_a_plan_adds_up(network: Network, need: int, fairness: float):
    for workshop, jobs in zip(network.horn, (6, 2, 0), strict=True):
        write_history(network, workshop, jobs, good=45, days_ago=10)
    plan = made_plan(pendants(build_order(network, need)), fairness=fairness)
    proposals = list(plan.proposals.all())
    assert proposals
    for one in proposals:
        *_, share, size = one.reasons
        assert size.startswith(f"Planned {one.quantity} pieces: ")
        had, fair = _number(r"^Had (\d+)", share), _number(r"share of (\d+)", share)
        after = had + one.quantity
        assert str(after) in share
        assert ("already" in share) == (had >= fair)
        assert ("over its" in share) == (had < fair < after)
        assert ("nothing off" in share) == (after <= fair)
        assert share.isascii()
    for other in plan.passed_over.filter(obstacle=Obstacle.SHARE):
        counts = re.search(r"counts ([\d.]+), the chosen ([\d.]+)", other.detail)
        assert counts
        assert float(counts[1]) <= float(counts[2])
        had = _number(r"Had (\d+)", other.detail)
        fair = _number(r"share of (\d+)", other.detail)
        assert ("already" in other.detail) == (had >= fair)


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, text
    return int(found[1])
