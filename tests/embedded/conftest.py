"""Small programs to supervise, and supervisors that never outlive their test."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vrp.embedded.folder import DataFolder
from vrp.embedded.programs import Program
from vrp.embedded.supervisor import Supervisor

MakeProgram = Callable[..., Program]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[DataFolder]:
    """An opened data folder."""
    data = DataFolder(tmp_path / "data")
    data.open()
    yield data
    data.close()


@pytest.fixture
def supervisor(folder: DataFolder) -> Iterator[Supervisor]:
    """A supervisor on that folder; whatever it runs ends with the test."""
    boss = Supervisor(folder.root, folder.logs, folder.state)
    yield boss
    with contextlib.suppress(ValueError, OSError):
        boss.stop()


@pytest.fixture
def python_program(tmp_path: Path) -> MakeProgram:
    """Makes a program of a few lines of Python."""

    def make(name: str, source: str, **more: object) -> Program:
        argv = [sys.executable, "-S", "-u", "-c", source]
        return Program(name=name, argv=argv, cwd=tmp_path, **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with us and must survive."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    )
    yield process
    process.kill()
    process.wait()
