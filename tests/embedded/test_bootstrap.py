"""``.venv``: made, made again, and left alone when it is not ours.

Each test runs a copy of the script in a folder of its own; no package is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vrp.embedded.options import PROJECT

# Prints what went wrong, or "made"; with a word, as if Python could make no venv.
MAKE = """
import sys
import bootstrap
if len(sys.argv) > 1:
    sys.executable = "/bin/false"
print(bootstrap._make_venv() or "made")
"""
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the script and its neighbour, as the project has them."""
    scripts = tmp_path / "checkout" / "vrp" / "embedded"
    scripts.mkdir(parents=True)
    for name in ("bootstrap.py", "options.py"):
        shutil.copy(PROJECT / "vrp" / "embedded" / name, scripts)
    return tmp_path / "checkout"


def make(checkout: Path, *more: str) -> str:
    """What the script says of its ``.venv``."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", MAKE, *more],
        cwd=checkout / "vrp" / "embedded",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


def broken_venv(checkout: Path) -> Path:
    """A ``.venv`` whose Python is gone, with something in it to lose."""
    venv = checkout / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to("/nowhere/python3")
    (venv / "kept").write_text("mine")
    return venv


def left_aside(checkout: Path) -> list[str]:
    return [one.name for one in checkout.glob(".venv.old-*")]


def test_a_venv_that_does_not_run_is_made_again_in_place(checkout: Path) -> None:
    venv = broken_venv(checkout)
    assert make(checkout) == "made\n"
    assert not (venv / "kept").exists()
    assert f"#!{venv}/bin/python" in (venv / "bin" / "pip").read_text()
    assert left_aside(checkout) == []


def test_the_old_one_comes_back_when_no_new_one_can_be_made(checkout: Path) -> None:
    venv = broken_venv(checkout)
    assert "Could not make" in make(checkout, "fail")
    assert (venv / "kept").read_text() == "mine"
    assert left_aside(checkout) == []


def test_nothing_is_left_when_the_first_one_cannot_be_made(checkout: Path) -> None:
    assert "Could not make" in make(checkout, "fail")
    assert not (checkout / ".venv").exists()


@as_root
def test_a_venv_of_another_user_is_never_touched(checkout: Path) -> None:
    venv = broken_venv(checkout)
    os.chown(venv, NOBODY, NOBODY)
    said = make(checkout)
    assert f"{venv} is made by nobody, and you are root." in said
    assert "clone the project" in said
    assert "run this as nobody" in said
    assert (venv / "kept").read_text() == "mine"
    assert left_aside(checkout) == []


def test_what_a_link_leads_to_stays(checkout: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    broken_venv(checkout).rename(elsewhere)
    (checkout / ".venv").symlink_to(elsewhere)
    assert make(checkout) == "made\n"
    assert (elsewhere / "kept").read_text() == "mine"
    assert not (checkout / ".venv").is_symlink()
    assert left_aside(checkout) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_venv_closed_to_writing_is_left_alone(checkout: Path) -> None:
    venv = broken_venv(checkout)
    venv.chmod(0o555)
    assert "yours, but closed to writing" in make(checkout)
    assert (venv / "kept").read_text() == "mine"
    venv.chmod(0o755)


def test_a_file_is_no_data_folder(tmp_path: Path) -> None:
    there = tmp_path / "notes.txt"
    there.write_text("mine")
    done = subprocess.run(
        [sys.executable, "vrp/embedded/bootstrap.py", "up", "--data", str(there)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert f"{there} is a file, not a folder" in done.stderr
    assert there.read_text() == "mine"
