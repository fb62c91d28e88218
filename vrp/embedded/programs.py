"""What a child process is: its command, environment, readiness and way to end."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """One kind of child process.

    ``before_start`` runs in the supervisor before every start (also a restart) and
    may raise StartError. ``in_child`` runs between fork and exec. ``ready`` is asked
    a few times a second once ``settle_seconds`` have passed; it must answer fast.
    """

    name: str
    argv: list[str]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = lambda: True
    settle_seconds: float = 0.0
    before_start: Callable[[], None] = lambda: None
    in_child: Callable[[], None] = lambda: None
    stop_signal: signal.Signals = signal.SIGTERM
    is_server: bool = False


def answers_tcp(port: int) -> Callable[[], bool]:
    """A readiness check: somebody accepts connections on 127.0.0.1:port."""

    def check() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.5):
                return True
        except OSError:
            return False

    return check
