"""``bin/bench [name] [options]``: one bench, or one after the other all the quick ones."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from dataclasses import dataclass

from bench import lab


@dataclass(frozen=True)
class Bench:
    """A module (or package) of this package with ``main(arguments) -> exit status``."""

    summary: str
    # Part of a run without a name. How long each takes, and all of them, is printed.
    quick: bool = True
    # Needs Django set up on the laboratory's servers before it is imported. The others
    # start what they need and read all of their options themselves.
    on_lab: bool = True


BENCHES = {
    "api": Bench("order creation, list and page against a bare Django view"),
    "imports": Bench("CSV imports of workshops and orders against raw COPY"),
    "growth": Bench("every page and list at 10 x the rows against 1 x"),
    "tenants": Bench("every page for one tenant of 100 against one of 1"),
    "matching": Bench("a worker's plan against the solver alone on the same matrix"),
    "memory": Bench("each process at rest and under load; rows must not add to it"),
    "units": Bench("queries, processor time and bytes of each unit of work"),
    "faults": Bench(
        "kill, stop and slow every part; count what is lost", quick=False, on_lab=False
    ),
}


def main(arguments: list[str]) -> int:
    """Run what is named; returns the first exit status that is not 0."""
    name = arguments[0] if arguments and not arguments[0].startswith("-") else ""
    if name in BENCHES and not BENCHES[name].on_lab:
        return run(name, arguments[1:])
    options = _parser().parse_args(arguments)
    if options.list:
        print(overview())
        return 0
    began = time.monotonic()
    names = (
        [options.name] if options.name else [n for n, b in BENCHES.items() if b.quick]
    )
    rest = ["--long"] if options.long else []
    try:
        statuses = [run(name, rest) for name in names]
    finally:
        lab.close()
    print(f"All took {time.monotonic() - began:.0f} s.")
    return next((status for status in statuses if status), 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bin/bench",
        description="Measure on throw-away servers, as ratios within one run. Timings "
        "are printed and never judged.",
        epilog=overview(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "name",
        nargs="?",
        choices=BENCHES,
        help="default: the quick ones",
        metavar="name",
    )
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument(
        "--long", action="store_true", help="take longer, for figures to be quoted"
    )
    return parser


def overview() -> str:
    """Every bench with its line."""
    width = max(map(len, BENCHES))
    lines = []
    for name, bench in BENCHES.items():
        named = "" if bench.quick else " (only by name)"
        lines.append(f"  {name:<{width}}  {bench.summary}{named}")
    return "\n".join(lines)


def run(name: str, arguments: list[str]) -> int:
    """Run one bench in this process."""
    if BENCHES[name].on_lab:
        lab.laboratory()
    began = time.monotonic()
    status: int = importlib.import_module(f"bench.{name}").main(arguments)
    print(f"{name} took {time.monotonic() - began:.0f} s.")
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
