"""``bin/bench [name] [options]``: one bench, or one after the other all the quick ones."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Bench:
    """A module (or package) of this package with ``main(arguments) -> exit status``."""

    summary: str
    # Part of a run without a name: all of those together take about four minutes.
    quick: bool = True


BENCHES = {
    "faults": Bench("kill, stop and slow every part; count what is lost", quick=False),
}
USAGE = """usage: bin/bench [name] [options]

Without a name: all the quick ones, one after the other. With --long each takes its
time and its figures can be quoted; bin/bench NAME --help says what else there is.
"""


def main(arguments: list[str]) -> int:
    """Run what is named; returns the first exit status that is not 0."""
    if arguments and not arguments[0].startswith("-"):
        name, *rest = arguments
        if name not in BENCHES:
            print(f"No bench is called {name!r}.\n\n{overview()}", file=sys.stderr)
            return 2
        return run(name, rest)
    if {"-h", "--help", "--list"} & set(arguments):
        print(USAGE + "\n" + overview())
        return 0
    statuses = [run(name, arguments) for name, bench in BENCHES.items() if bench.quick]
    return next((status for status in statuses if status), 0)


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
    # Read by the settings when a bench sets Django up; its servers fill the rest in.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vrp.settings")
    status: int = importlib.import_module(f"bench.{name}").main(arguments)
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
