"""Processes of an earlier run that outlived it, and how to end exactly those.

Every child carries the data folder in its environment. Whoever holds the folder's
lock may end processes that carry that mark and whose command line is one we use;
nothing else, whatever a stale pid file says.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # comes with the server wheels

# The environment variable every child is started with; its value is the data folder.
MARK = "VRP_SUPERVISED_FOLDER"
_PROGRAMS = ("python", "postgres", "redis-server")


def find(folder: Path) -> list[psutil.Process]:
    """Processes started for this data folder, other than ourselves and our parents."""
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        if process.pid in ours:
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == str(folder) and _is_program(process):
                found.append(process)
    return found


def _is_program(process: psutil.Process) -> bool:
    command = process.cmdline()
    return bool(command) and Path(command[0]).name.startswith(_PROGRAMS)


def is_postgres(process: psutil.Process) -> bool:
    """Whether this is a PostgreSQL server (which shuts down fast on SIGINT)."""
    with contextlib.suppress(psutil.Error):
        command = process.cmdline()
        return bool(command) and Path(command[0]).name == "postgres"
    return False


def end(folder: Path, patience: float = 8.0) -> int:
    """End what an earlier run left behind; returns how many processes that were.

    Application processes first, then the servers, as an orderly stop would do it.
    Waits up to ``patience`` seconds for each of the two before it kills.
    """
    processes = find(folder)
    servers = [p for p in processes if is_postgres(p) or _is_redis(p)]
    others = [p for p in processes if p not in servers]
    for group in (others, servers):
        for process in group:
            number = signal.SIGINT if is_postgres(process) else signal.SIGTERM
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)
        _, alive = psutil.wait_procs(group, timeout=patience)
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(alive, timeout=2.0)
    return len(processes)


def _is_redis(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        command = process.cmdline()
        return bool(command) and Path(command[0]).name.startswith("redis-server")
    return False


def postgres_users(data: Path) -> list[psutil.Process]:
    """PostgreSQL processes working in this cluster folder, whoever started them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name().startswith("postgres") and process.cwd() == str(data):
                found.append(process)
    return found
