"""Runs child processes in order, restarts what dies, ends everything on a stop.

One thread, one loop: ``turn`` moves logs, notices deaths, starts again what is due.
Whoever waits for something (a server to answer, a migration to end) waits through
``wait_until``, so that the children are looked after meanwhile.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from vrp.embedded.children import Child, State, in_child
from vrp.embedded.errors import Interrupted, StartError
from vrp.embedded.programs import Program

TURN_SECONDS = 0.1
# A child that dies this often without ever having answered cannot start at all.
DEATHS_BEFORE_GIVING_UP = 4
APPS_STOP_SECONDS = 5.0
SERVER_STOP_SECONDS = 3.5


class Supervisor:
    """Children by name, in the order in which they were started."""

    def __init__(self, mark: Path, logs: Path, state: Path) -> None:
        self.children: dict[str, Child] = {}
        self.say: Callable[[str], None] = lambda line: None
        self.on_turn: Callable[[], None] = lambda: None
        self.stop_signal: int | None = None
        self.impatient = False
        self._catches = False
        self._mark = mark
        self._logs = logs
        self._state_file = state
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)

    def catch_signals(self) -> None:
        """Turn Ctrl-C, SIGTERM and SIGHUP into an orderly stop."""
        self._catches = True
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_stop)
        # Only to wake the loop at once when a child dies.
        signal.signal(signal.SIGCHLD, lambda number, frame: None)

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        self.impatient = self.stop_signal is not None
        self.stop_signal = number

    def start(self, program: Program) -> Child:
        """Start a child and look after it from now on."""
        child = Child(program, self._logs, self._mark)
        self.children[program.name] = child
        child.start()
        self._moved(child, "starting")
        return child

    def run(self, program: Program, timeout: float) -> Child:
        """Run a one-shot to its end; raises StartError if it fails or takes too long.

        ``timeout`` in seconds.
        """
        child = Child(program, self._logs, self._mark)
        child.start()
        status: list[int] = []

        def ended() -> bool:
            child.pump()
            result = child.died()
            if result is not None:
                status.append(result)
            return bool(status)

        try:
            if not self.wait_until(ended, timeout):
                raise StartError(f"{program.name} did not end in {timeout:.0f} s.")
        finally:
            child.signal_group(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()
                child.died()
            child.log.close()
        if status[0] != 0:
            raise StartError(
                f"{program.name} failed ({exit_words(status[0])})." + last_lines(child)
            )
        return child

    def run_attached(self, argv: list[str], env: Mapping[str, str], cwd: Path) -> int:
        """Run a command in the foreground, on our terminal; returns its exit status.

        Ctrl-C reaches it from the terminal; other stops are handed on.
        """
        process = subprocess.Popen(
            argv,
            env={**os.environ, **env},
            cwd=cwd,
            preexec_fn=in_child(lambda: None, signal.SIGTERM),
        )
        told = False
        while process.poll() is None:
            self.turn()
            if self.stop_signal is not None and not told:
                told = True
                if self.stop_signal != signal.SIGINT:
                    process.terminate()
            if self.impatient:
                process.kill()
        status = process.returncode
        return 128 - status if status < 0 else status

    def wait_until(self, done: Callable[[], bool], timeout: float) -> bool:
        """Look after the children until ``done`` or ``timeout`` seconds have passed.

        Raises Interrupted on a stop, StartError if a child cannot start.
        """
        deadline = time.monotonic() + timeout
        while not done():
            if time.monotonic() > deadline:
                return False
            self.turn()
            if self.stop_signal is not None:
                raise Interrupted
        return True

    def wait_ready(self, *names: str, timeout: float = 60.0) -> None:
        """Wait until these children answer; raises StartError if they do not."""
        if not self.wait_until(lambda: all(self._answers(n) for n in names), timeout):
            silent = [name for name in names if not self._answers(name)]
            raise StartError(
                f"{', '.join(silent)} did not answer within {timeout:.0f} s."
                + "".join(last_lines(self.children[name]) for name in silent)
            )

    def _answers(self, name: str) -> bool:
        return self.children[name].state == "running"

    def turn(self) -> None:
        """One round: logs, deaths, readiness, restarts that are due."""
        self.on_turn()
        for key, _ in self._selector.select(TURN_SECONDS):
            with contextlib.suppress(BlockingIOError):
                os.read(key.fd, 4096)
        for child in self.children.values():
            child.pump()
            status = child.died()
            if status is not None and self.stop_signal is None:
                self._handle_death(child, status)
            elif child.process is None:
                self._restart_if_due(child)
            elif child.state != "running" and child.is_ready():
                self._handle_ready(child)

    def _handle_death(self, child: Child, status: int) -> None:
        name = child.program.name
        if not child.was_ready:
            child.deaths_before_ready += 1
            if child.deaths_before_ready >= DEATHS_BEFORE_GIVING_UP:
                self._moved(child, "stopped")
                raise StartError(
                    f"{name} cannot start ({exit_words(status)}, "
                    f"{child.deaths_before_ready} times)." + last_lines(child)
                )
        pause = child.plan_restart()
        self._moved(child, "restarting")
        self.say(f"{name} ended ({exit_words(status)}); starting again in {pause:g} s")

    def _restart_if_due(self, child: Child) -> None:
        due = child.state == "restarting" and time.monotonic() >= child.restart_at
        if due and self.stop_signal is None:
            try:
                child.start()
            except StartError as error:
                pause = child.plan_restart()
                self.say(f"{child.program.name}: {error} Next try in {pause:g} s")
            self.write_state()

    def _handle_ready(self, child: Child) -> None:
        if child.restarts:
            self.say(f"{child.program.name} runs again (process {child.pid})")
        child.was_ready = True
        self._moved(child, "running")

    def run_forever(self) -> None:
        """Look after the children until somebody asks for a stop."""
        while self.stop_signal is None:
            self.turn()

    def stop(self) -> None:
        """End every child in reverse order of starting, the servers last (< 10 s)."""
        if self.stop_signal is None:
            self.stop_signal = signal.SIGTERM
        newest_first = list(reversed(self.children.values()))
        self._end([c for c in newest_first if not c.program.is_server])
        for child in newest_first:
            if child.program.is_server:
                self._end([child])
        self.write_state()
        for child in newest_first:
            child.log.close()
        self._release()

    def _release(self) -> None:
        """Give back what the loop needed; the supervisor is of no use after that."""
        if self._catches:
            signal.set_wakeup_fd(-1)
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _end(self, children: list[Child]) -> None:
        patience = APPS_STOP_SECONDS
        if any(child.program.is_server for child in children):
            patience = SERVER_STOP_SECONDS
        for child in children:
            child.signal_leader(child.program.stop_signal)
        deadline = time.monotonic() + patience
        while any(child.process is not None for child in children):
            self.turn()
            hurry = self.impatient and not children[0].program.is_server
            if hurry or time.monotonic() > deadline:
                for child in children:
                    child.signal_group(signal.SIGKILL)
        for child in children:
            child.move("stopped")

    def _moved(self, child: Child, state: State) -> None:
        child.move(state)
        self.write_state()

    def write_state(self) -> None:
        """Replace the state file in one step, so that a reader never sees half."""
        facts = {
            name: {
                "state": child.state,
                "pid": child.pid,
                "restarts": child.restarts,
                "since": _iso(child.since),
            }
            for name, child in self.children.items()
        }
        fresh = self._state_file.with_suffix(".new")
        fresh.write_text(json.dumps(facts, indent=1) + "\n")
        fresh.replace(self._state_file)


def _iso(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat()


def exit_words(status: int) -> str:
    """An exit status in words: ``exit status 3`` or ``signal SIGKILL``."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"


def last_lines(child: Child, count: int = 12) -> str:
    """The end of a child's log for an error message, with the file's name."""
    lines = [f"    {line}" for line in list(child.log.tail)[-count:]]
    said = "\n".join(lines) if lines else "    (it said nothing)"
    return f"\n  The last it said ({child.log.path}):\n{said}"
