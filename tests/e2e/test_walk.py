"""The tour on a fresh system, as the README tells a stranger to take it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.system import System
from vrp.embedded.options import PROJECT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def walk(data: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Take the tour from a shell that knows nothing of the system's settings."""
    return subprocess.run(
        [sys.executable, "manage.py", "walk", "--data", str(data), *more],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_the_tour_goes_all_the_way_twice(system: System) -> None:
    first = walk(system.data)
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    for told in ("declines job", "is told that 1 is missing", "as unknown", "shipped"):
        assert told in first.stdout
    assert "\x1b[" not in first.stdout
    again = walk(system.data, "--quiet", "--po", "TWICE-1", "--quantity", "40")
    assert again.returncode == 0, again.stdout[-3000:] + again.stderr[-3000:]
    assert "TWICE-1: from the buyer's call to paid artisans" in again.stdout
    assert len(again.stdout.splitlines()) < 15


def test_a_used_po_number_ends_the_tour_with_a_sentence(system: System) -> None:
    order = system.rows("SELECT po_number FROM orders_order LIMIT 1")
    done = walk(system.data, "--quiet", "--po", order[0][0])
    assert done.returncode == 1
    assert "Not as it should be" in done.stdout
    assert "was already placed" in done.stdout
    assert done.stderr == ""
