"""Waits of recovery can be shortened for a trial, in the embedded mode only."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from vrp.embedded.folder import DataFolder
from vrp.embedded.options import PROJECT
from vrp.embedded.stack import Stack
from vrp.haste import hasten

MINUTE = timedelta(minutes=1)


def test_waits_are_divided_but_outlast_what_they_must(settings) -> None:
    assert hasten(MINUTE, at_least=timedelta(seconds=20)) == MINUTE
    settings.HASTE = 30
    assert hasten(MINUTE) == timedelta(seconds=2)
    assert hasten(MINUTE, at_least=timedelta(seconds=20)) == timedelta(seconds=20)
    assert hasten(MINUTE, at_least=timedelta(hours=1)) == MINUTE, "never longer"


@pytest.mark.parametrize(("embedded", "starts"), [("0", False), ("1", True)])
def test_haste_is_refused_in_earnest(embedded: str, starts: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import vrp.settings"],
        cwd=PROJECT,
        env={**os.environ, "VRP_HASTE": "30", "VRP_EMBEDDED": embedded},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is starts, done.stderr[-500:]
    assert starts or "VRP_HASTE" in done.stderr


def test_copies_have_names_of_their_own(tmp_path: Path) -> None:
    urls = ("postgresql://x@/x", "redis://x")
    stack = Stack(DataFolder(tmp_path), 1, 2, *urls, copies=2)
    names = [program.name for program in stack.processes()]
    assert names == ["web", "worker", "worker-2", "clock", "clock-2", "standins"]
    hosts = [one.argv[-1] for one in stack.processes() if "worker" in one.name]
    assert hosts == ["worker@%h", "worker-2@%h"]
