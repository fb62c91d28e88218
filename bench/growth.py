"""Every page and list at ten times the rows against one time: goal at most 1.2."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench import report
from bench.lab import Laboratory, laboratory
from bench.multiply import Growth
from bench.pages import Found, Page, Visitor, all_pages, find
from bench.scenery import Scenery, demo, grown
from bench.timing import Sample, in_turns

GOAL = 1.2


@dataclass(frozen=True)
class Size:
    """``base``: how many demos make one time; then rounds of ``each`` calls."""

    base: int = 12
    rounds: int = 3
    each: int = 3


QUICK, LONG = Size(), Size(base=40, rounds=12, each=5)


def main(arguments: list[str]) -> int:
    """Print the ratios, the worst first."""
    size = LONG if "--long" in arguments else QUICK
    report.heading(
        "Pages and lists at 10 x the rows against 1 x (goal: at most 1.2)",
        notes="older: ten times the years, the same network and open work. wider: ten "
        "times of everything, workshops, buyers and open work included.\n"
        "The whole request in this process, without gunicorn: what the rows cost stands "
        "out.",
    )
    lab = laboratory()
    one = grown(lab, demo(lab), "one", size.base, Growth.HISTORY)
    sceneries = {
        "1 x": one,
        "older": grown(lab, one, "older", 10, Growth.HISTORY),
        "wider": grown(lab, one, "wider", 10, Growth.NETWORK),
    }
    measure(lab, sceneries, size)
    return 0


def measure(
    lab: Laboratory, sceneries: dict[str, Scenery], size: Size
) -> dict[str, dict[str, Sample]]:
    """Open every page in every scenery by turns; prints a table, returns the times."""
    first, *others = sceneries
    found = find(lab, sceneries[first])
    visitors = {name: Visitor(lab, one) for name, one in sceneries.items()}
    taken = {}
    rows = []
    for page in all_pages(found):
        calls = {name: one.opening(page) for name, one in visitors.items()}
        times = in_turns(calls, rounds=size.rounds, each=size.each, warm_up=1)
        taken[page.name] = times
        queries = [
            _queries(lab, sceneries[name], visitors[name], page) for name in sceneries
        ]
        ratios = [times[name].ratio_to(times[first]) for name in others]
        rows.append(
            (max(ratio[1] for ratio in ratios), page, times[first], ratios, queries)
        )
    rows.sort(key=lambda row: -row[0])
    report.table(
        (
            "page",
            f"{first} p50 ms",
            *(f"{name} / {first}" for name in others),
            "queries",
        ),
        [
            (
                page.name,
                report.ms(sample.p50),
                *(report.spread(ratio) for ratio in ratios),
                "/".join(map(str, queries)),
            )
            for _, page, sample, ratios, queries in rows
        ],
    )
    above = sum(worst > GOAL for worst, *_ in rows)
    print(f"{len(rows) - above} of {len(rows)} pages within {GOAL}.", flush=True)
    return taken


def _queries(lab: Laboratory, scenery: Scenery, visitor: Visitor, page: Page) -> int:
    with lab.on(scenery.database), CaptureQueriesContext(connection) as seen:
        visitor.opening(page)()
    return len(seen)


__all__ = ["Found", "main", "measure"]
