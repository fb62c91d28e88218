"""What ``bin/up`` can be asked for. Standard library only: read before installing."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# Set by bin/up, which changes to the project folder: what --data and
# --restore are relative to.
CALLED_FROM = "VRP_CALLED_FROM"


def _port(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    # The stand-ins take the next free port above it.
    if not 1 <= value <= 65000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 to 65000)")
    return value


def _from_caller(text: str) -> Path:
    return Path(os.environ.get(CALLED_FROM) or Path.cwd()) / Path(text).expanduser()


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty folder name")
    folder = _from_caller(text)
    # Not Path.is_file: what we may not look at is for the start itself to report.
    if os.path.isfile(folder):
        raise argparse.ArgumentTypeError(f"{folder} is a file, not a folder")
    return folder


def up_parser() -> argparse.ArgumentParser:
    """The arguments of ``bin/up``."""
    parser = argparse.ArgumentParser(
        prog="bin/up",
        description="Set up and run the whole virtual resource planner here: "
        "PostgreSQL, Redis, web, worker, clock, and stand-ins for the SMS carrier and "
        "the mobile-money wallet. Ctrl-C ends all of it; the data stays.",
        epilog="DATABASE_URL or REDIS_URL in the environment: that server is used and "
        "none is started. VRP_PYTHON names the Python to use (3.11 or newer).",
    )
    parser.add_argument(
        "--port", type=_port, default=8000, metavar="N", help="web port (default 8000)"
    )
    parser.add_argument(
        "--data",
        type=_folder,
        default=PROJECT / "var",
        metavar="DIR",
        help="data folder (default: var/ in the project)",
    )
    parser.add_argument(
        "--no-demo",
        action="store_true",
        help="do not load the demo tenants into an empty system",
    )
    parser.add_argument(
        "--restore",
        type=_from_caller,
        metavar="FILE",
        help="begin with a backup instead of the demo, in a data folder without tenants",
    )
    parser.add_argument(
        "--copies",
        type=int,
        choices=range(1, 5),
        default=1,
        metavar="N",
        help="so many workers and so many clocks, side by side (1 to 4, default 1)",
    )
    return parser
