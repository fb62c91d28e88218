"""One supervised child: start it, keep its log, notice its death, end its group."""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from vrp.embedded import account, leftovers
from vrp.embedded.errors import StartError
from vrp.embedded.programs import Program

State = Literal["starting", "running", "restarting", "stopped"]

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
# A child that ran this long has earned a short pause again.
STEADY_SECONDS = 30.0
LOG_BYTES = 5 * 1024 * 1024
LOGS_KEPT = 2


class LogFile:
    """An append-only log that moves to ``.1``, ``.2`` when it grows past its cap."""

    def __init__(self, path: Path, prefix: str, cap: int = LOG_BYTES) -> None:
        self.path = path
        self.tail: deque[str] = deque(maxlen=30)
        self._prefix = prefix
        self._cap = cap
        self._rest = b""
        self._stream = path.open("ab")

    def feed(self, data: bytes) -> None:
        """Write whole lines, each with time and name; keep the unfinished rest."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > 65536:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._write(line)
        self._stream.flush()
        if self._stream.tell() > self._cap:
            self._rotate()

    def _write(self, line: bytes) -> None:
        self.tail.append(line.decode("utf-8", "replace").rstrip())
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._stream.write(f"{now} {self._prefix} | ".encode() + line + b"\n")

    def _rotate(self) -> None:
        self._stream.close()
        for number in range(LOGS_KEPT, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            newer = self.path
            if number > 1:
                newer = self.path.with_name(f"{self.path.name}.{number - 1}")
            if newer.exists():
                newer.replace(older)
        self._stream = self.path.open("ab")

    def close(self) -> None:
        if self._rest:
            self._write(self._rest)
            self._rest = b""
        self._stream.close()


class Child:
    """A program and, most of the time, its process (leader of its own group)."""

    def __init__(self, program: Program, logs: Path, mark: Path) -> None:
        self.program = program
        self.log = LogFile(logs / f"{program.name}.log", program.name)
        self.state: State = "stopped"
        self.since = time.time()
        self.restarts = 0
        self.deaths_before_ready = 0
        self.was_ready = False
        self.process: subprocess.Popen[bytes] | None = None
        self.restart_at = 0.0
        self._mark = mark
        self._started_at = 0.0
        self._pause = FIRST_PAUSE_SECONDS

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def move(self, state: State) -> None:
        self.state = state
        self.since = time.time()

    def start(self) -> None:
        """Start the process; raises StartError if its preparation or exec fails."""
        self.program.before_start()
        environment = {
            **os.environ,
            **self.program.env,
            leftovers.MARK: str(self._mark),
        }
        leash = in_child(self.program.in_child, self.program.stop_signal)
        try:
            self.process = subprocess.Popen(
                self.program.argv,
                cwd=self.program.cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=leash,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise StartError(
                f"Could not run {self.program.argv[0]}: {error}"
            ) from error
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self._started_at = time.monotonic()

    def pump(self) -> None:
        """Move what the child has said into its log."""
        if self.process is None or self.process.stdout is None:
            return
        for _ in range(16):
            try:
                data = os.read(self.process.stdout.fileno(), 65536)
            except BlockingIOError:
                return
            if not data:
                return
            self.log.feed(data)

    def is_ready(self) -> bool:
        """Whether the process has settled and answers."""
        settled = time.monotonic() - self._started_at >= self.program.settle_seconds
        return settled and self.program.ready()

    def died(self) -> int | None:
        """The exit status if the process has ended since last asked, else None."""
        if self.process is None:
            return None
        status = self.process.poll()
        if status is None:
            return None
        self.signal_group(signal.SIGKILL)
        self.pump()
        if self.process.stdout is not None:
            self.process.stdout.close()
        if time.monotonic() - self._started_at >= STEADY_SECONDS:
            self._pause = FIRST_PAUSE_SECONDS
        self.process = None
        return status

    def plan_restart(self) -> float:
        """Say when to start again; returns the pause in seconds (0.5 to 10)."""
        pause = self._pause
        self.restart_at = time.monotonic() + pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        self.restarts += 1
        return pause

    def signal_leader(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    def signal_group(self, number: int) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


def in_child(also: Callable[[], None], number: int) -> Callable[[], None]:
    """What runs between fork and exec: the program's own wish, then a leash to us."""
    parent = os.getpid()

    def prepare() -> None:
        also()
        account.die_with_parent(number)
        # The parent may have died before the leash was on.
        if os.getppid() != parent:
            os._exit(1)

    return prepare
