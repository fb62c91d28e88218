"""``bin/up`` as a whole: starts, survives crashes of its parts and of itself, ends."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vrp.embedded import leftovers
from vrp.embedded.options import PROJECT
from vrp.embedded.stack import next_free_port

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

NAMES = {"postgres", "redis", "web", "worker", "clock", "standins"}


class Running:
    """A ``bin/up`` of ours: its process, what it printed, its folder and port."""

    def __init__(self, data: Path, port: int) -> None:
        self.data = data
        self.port = port
        self.output = data.with_suffix(".out")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start and wait until it says it is ready; returns the seconds."""
        began = time.monotonic()
        command = [sys.executable, "-m", "vrp.embedded.up", "--no-demo"]
        command += ["--data", str(self.data), "--port", str(self.port)]
        # Its own servers, not those of the tests.
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
        }
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=PROJECT, env=kept, stdout=output, stderr=output
            )
        self.wait(lambda: "Ready after" in self.said() or self.ended(), 180)
        assert not self.ended(), self.said()
        return time.monotonic() - began

    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def said(self) -> str:
        return self.output.read_text()

    def wait(self, done: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def signal(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(15)

    def states(self) -> dict[str, Any]:
        return json.loads((self.data / "processes.json").read_text())

    def readyz(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path / "var", next_free_port(18000 + os.getpid() % 2000))
    yield running
    if not running.ended():
        running.signal(signal.SIGTERM)
    leftovers.end(running.data, patience=2)


def test_the_system_starts_mends_itself_and_ends_without_a_trace(
    system: Running,
) -> None:
    system.start()
    assert set(system.states()) == NAMES
    assert {fact["state"] for fact in system.states().values()} == {"running"}
    assert system.readyz() == 200

    os.kill(system.states()["worker"]["pid"], signal.SIGKILL)
    system.wait(lambda: system.states()["worker"]["state"] == "restarting", 5)
    assert system.readyz() == 503
    system.wait(lambda: system.states()["worker"]["state"] == "running", 20)
    system.wait(lambda: system.readyz() == 200, 20)

    os.kill(system.states()["postgres"]["pid"], signal.SIGKILL)
    system.wait(lambda: system.states()["postgres"]["restarts"] == 1, 5)
    system.wait(lambda: system.states()["postgres"]["state"] == "running", 20)
    system.wait(lambda: system.readyz() == 200, 20)

    began = time.monotonic()
    assert system.signal(signal.SIGINT) == 0
    assert time.monotonic() - began < 10
    assert leftovers.find(system.data) == []
    assert {fact["state"] for fact in system.states().values()} == {"stopped"}


def test_a_start_right_after_kill_nine_of_everything_recovers(
    system: Running,
) -> None:
    system.start()
    secret = (system.data / "secret_key").read_text()
    system.signal(signal.SIGKILL)

    system.start()

    assert system.readyz() == 200
    assert (system.data / "secret_key").read_text() == secret
    assert system.signal(signal.SIGTERM) == 0
    assert leftovers.find(system.data) == []
