"""What a bench prints: the machine it ran on, and tables."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

import django
import psycopg2


def heading(title: str, *, notes: str = "") -> None:
    """The bench's title and the machine, versions and load at its start."""
    load = os.getloadavg()[0]
    print(f"\n{title}\n{'=' * len(title)}")
    print(
        f"{usable_cores()} cores ({machine()}), load {load:.1f} at the start; "
        f"Python {platform.python_version()}, Django {django.get_version()}, "
        f"psycopg2 {psycopg2.__version__.split()[0]}"
    )
    if notes:
        print(notes)
    print(flush=True)


def usable_cores() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0))


def machine() -> str:
    """The processor's own name, where Linux tells it."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their columns: the first to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [
        max([len(name), *(len(row[place]) for row in cells)])
        for place, name in enumerate(columns)
    ]
    for row in [list(columns), ["-" * width for width in widths], *cells]:
        first, *rest = (
            f"{cell:<{width}}" if place == 0 else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *rest]).rstrip())
    print(flush=True)


def ms(seconds: float) -> str:
    """Seconds as milliseconds."""
    return f"{seconds * 1000:.2f}" if seconds < 0.1 else f"{seconds * 1000:.0f}"


def spread(ratio: tuple[float, float, float]) -> str:
    """A ratio with its lowest and highest round."""
    low, middle, high = ratio
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"
