"""The stand-ins as a pytest fixture, for the tests of every room.

In a room's ``conftest.py``::

    from tests.standin import standin, standin_server  # noqa: F401

``standin_server`` is one process per test session (per xdist worker), on a free port
and in its own folder. ``standin`` is the same client, reset before every test.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent
# Quick enough for tests, slow enough that an order of events can be seen.
QUICK = ("--report-delay=0.02", "--result-delay=0.02", "--inbound-retry=0.1")


class StandIn:
    """One stand-in process and a client for looking into it."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.options = options
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    # -- the process ---------------------------------------------------------------

    def start(self) -> None:
        """Start it; after the first time on the same port. Raises RuntimeError."""
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "simulators", "--port", port]
        with (self.data / "standin.log").open("a") as log:
            self._process = subprocess.Popen(
                [*command, "--data", str(self.data), *QUICK, *self.options],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("stand-ins on "):
            self.stop()
            said = (self.data / "standin.log").read_text()
            raise RuntimeError(f"the stand-ins did not start: {said[-2000:]}")
        self.url = line.removeprefix("stand-ins on ").strip()

    def kill(self) -> None:
        """End it as a crash would, with SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it politely."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            os.kill(self._process.pid, how)
        self._process.wait(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    # -- looking in ------------------------------------------------------------------

    def get(self, path: str, **query: str) -> Any:
        answer = requests.get(self.url + path, params=query, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def get_text(self, path: str) -> str:
        return requests.get(self.url + path, timeout=10).text

    def post(self, path: str, body: Any) -> Any:
        """POST JSON; raises requests.HTTPError with the stand-in's own words."""
        answer = requests.post(self.url + path, json=body, timeout=30)
        if not answer.ok:
            raise requests.HTTPError(answer.text, response=answer)
        return answer.json()

    def sms(self, to: str) -> list[dict[str, Any]]:
        """Return the SMS a phone has received, oldest first."""
        found: list[dict[str, Any]] = self.get("/_sms", to=to)
        return found

    def wallet(self, phone: str) -> list[dict[str, Any]]:
        """Return the money a phone has received, oldest first; whole KES."""
        found: list[dict[str, Any]] = self.get("/_wallet", phone=phone)
        return found

    def reply(self, phone: str, to: str, text: str, **more: str) -> dict[str, Any]:
        """Send an SMS as ``phone`` to a sender or shortcode of the product."""
        body = {"from": phone, "to": to, "text": text, **more}
        sent: dict[str, Any] = self.post("/_sms/reply", body)
        return sent

    def faults(self, rules: dict[str, Any]) -> dict[str, Any]:
        """Set misbehaviour (``simulators/README.md``); ``{}`` clears it."""
        in_force: dict[str, Any] = self.post("/_faults", rules)
        return in_force

    def register(self, username: str, **facts: Any) -> None:
        """Make a tenant known: its callback URLs, USSD code, wallet and so on."""
        self.post("/_register", {"username": username, **facts})

    def ussd(
        self, phone: str, code: str, text: str = "", session: str = ""
    ) -> dict[str, Any]:
        """Play one turn as the carrier; ``text`` is all answers joined with ``*``."""
        body = {"phone": phone, "code": code, "text": text}
        if session:
            body["session"] = session
        shown: dict[str, Any] = self.post("/_ussd", body)
        return shown

    def answer(self, session: str, phone: str, typed: str) -> dict[str, Any]:
        """Type one answer in an open session; the carrier joins it to the others."""
        body = {"session": session, "phone": phone, "answer": typed}
        shown: dict[str, Any] = self.post("/_ussd", body)
        return shown

    def state(self) -> dict[str, Any]:
        counts: dict[str, Any] = self.get("/_state")
        return counts

    def reset(self) -> None:
        """Forget messages, money, registrations, tokens and misbehaviour."""
        self.post("/_reset", {})


def until(true: Callable[[], Any], seconds: float = 5.0) -> Any:
    """Wait for something that happens in another process and return its value."""
    end = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {seconds} s")
        time.sleep(0.02)


@pytest.fixture(scope="session")
def standin_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Run the stand-ins for a whole test session."""
    server = StandIn(tmp_path_factory.mktemp("standin"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def standin(standin_server: StandIn) -> StandIn:
    """Give the running stand-ins, with nothing left of any earlier test."""
    standin_server.reset()
    return standin_server
