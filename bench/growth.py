"""Every page and list at ten times the rows against one time: goal at most 1.2."""

from __future__ import annotations

from dataclasses import dataclass

from bench import report
from bench.lab import Laboratory, laboratory
from bench.multiply import Growth
from bench.pages import Visitor, all_pages, find
from bench.scenery import HEAVY, Scenery, demo, grown
from bench.timing import Sample, cpu_seconds, in_turns

GOAL = 1.2


@dataclass(frozen=True)
class Size:
    """``wide``: as many demos' networks make one time, so that every list is full;
    ``years``: times their history. Then rounds of ``each`` calls."""

    wide: int = 18
    years: int = 1
    rounds: int = 3
    each: int = 3


QUICK, LONG = Size(), Size(years=4, rounds=12, each=5)


def main(arguments: list[str]) -> int:
    """Print the ratios, the worst first."""
    size = LONG if "--long" in arguments else QUICK
    report.heading(
        "Pages and lists at 10 x the rows against 1 x (goal: at most 1.2)",
        notes="older: ten times the years, the same network and open work. wider: ten "
        "times of everything, workshops, buyers and open work included.\n"
        "Processor time of the whole request, here (no gunicorn) and in PostgreSQL: it "
        "hardly depends on what else the machine does.",
    )
    lab = laboratory()
    one = grown(lab, demo(lab), "one", size.wide, Growth.NETWORK, leave=HEAVY)
    if size.years > 1:
        one = grown(lab, one, "years", size.years, Growth.HISTORY)
    sceneries = {
        "1 x": one,
        "older": grown(lab, one, "older", 10, Growth.HISTORY),
        "wider": grown(lab, one, "wider", 10, Growth.NETWORK),
    }
    compare(lab, sceneries, rounds=size.rounds, each=size.each)
    return 0


def compare(
    lab: Laboratory, sceneries: dict[str, Scenery], *, rounds: int, each: int
) -> dict[str, dict[str, Sample]]:
    """Open every page in every scenery by turns; prints a table, returns the costs."""
    first, *others = sceneries
    found = find(lab, sceneries[first])
    visitors = {name: Visitor(lab, one) for name, one in sceneries.items()}
    taken: dict[str, dict[str, Sample]] = {}
    queries: dict[str, list[int]] = {}
    for page in all_pages(found):
        calls = {name: one.opening(page) for name, one in visitors.items()}
        taken[page.name] = in_turns(
            calls,
            rounds=rounds,
            each=each,
            warm_up=1,
            measure=lambda call: cpu_seconds(call, lab.backends),
        )
        queries[page.name] = [visitors[name].queries(page) for name in sceneries]
    _print(taken, queries, first, others)
    return taken


def _print(
    taken: dict[str, dict[str, Sample]],
    queries: dict[str, list[int]],
    first: str,
    others: list[str],
) -> None:
    rows = []
    for page, samples in taken.items():
        ratios = [samples[name].ratio_to(samples[first]) for name in others]
        worst = max((ratio[1] for ratio in ratios), default=0.0)
        rows.append((worst, page, samples[first], ratios))
    rows.sort(key=lambda row: -row[0])
    report.table(
        ("page", f"{first} ms", *(f"{name} / {first}" for name in others), "queries"),
        [
            (
                page,
                report.ms(sample.p50),
                *(report.spread(ratio) for ratio in ratios),
                "/".join(map(str, queries[page])),
            )
            for _, page, sample, ratios in rows
        ],
    )
    above = sum(worst > GOAL for worst, *_ in rows)
    print(f"{len(rows) - above} of {len(rows)} pages within {GOAL}.", flush=True)
