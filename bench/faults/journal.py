"""What was asked of the system and what it answered, as those outside saw it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from bench.faults.script import Fate, Story
from vrp.walk.problem import NotRight


@dataclass(frozen=True)
class Line:
    """One thing that happened, seconds after the start."""

    at: float
    about: str
    what: str


@dataclass
class Work:
    """One job as the driver saw it come and go, and what it must look like at the end."""

    pk: int
    number: int
    code: str
    offered: int
    fate: Fate
    state: str = "offered"
    quantity: int = 0
    delivered: int = 0
    good: int = 0
    scrapped: int = 0
    # Pieces of each grading in turn: (good, rework, scrap).
    graded: list[tuple[int, int, int]] = field(default_factory=list)
    told_short: int = 0
    answered_by_sms: int = 0


@dataclass
class Told:
    """An order as its buyer and the people around it left it."""

    story: Story
    order_id: str = ""
    page: str = ""
    state: str = ""
    jobs: list[Work] = field(default_factory=list)
    proposed: list[tuple[str, int]] = field(default_factory=list)
    finished: bool = False
    problem: str = ""


class Journal:
    """Lines by many threads, and the clock they share."""

    def __init__(self, file: Path | None = None) -> None:
        self.began = time.monotonic()
        # How many steps people got done.
        self.steps = 0
        # Also written down as it happens, for who watches.
        self._file = file.open("a", buffering=1) if file else None
        self._lines: list[Line] = []
        self._lock = threading.Lock()

    def note(self, about: str, what: str) -> None:
        """Write down one line about an order (its PO number) or a part."""
        with self._lock:
            at = time.monotonic() - self.began
            self._lines.append(Line(at, about, what))
            if self._file:
                self._file.write(f"{at:7.1f} s  {about:<8}  {what}\n")

    def close(self) -> None:
        """Nothing is written down any more; what was, can still be read."""
        with self._lock:
            if self._file:
                self._file.close()
            self._file = None

    def about(self, *names: str) -> list[str]:
        """The lines about these, oldest first, as text."""
        with self._lock:
            found = [line for line in self._lines if line.about in names]
        return [f"{line.at:7.1f} s  {line.about:<8}  {line.what}" for line in found]


def insist(
    journal: Journal,
    about: str,
    what: str,
    attempt: Callable[[], Any],
    *,
    seconds: float,
    pause: float = 0.7,
) -> Any:
    """Do as people do: try, and when it fails look and try again, for so long.

    ``attempt`` first looks whether it is done already. Raises ``NotRight`` in the end.
    """
    end = time.monotonic() + seconds
    tries = 0
    while True:
        tries += 1
        try:
            found = attempt()
            if found:
                again = f" (after {tries} tries)" if tries > 1 else ""
                journal.note(about, f"{what}{again}")
                journal.steps += 1
                return found
            said, wait = "not yet", min(0.05 * 2**tries, pause)
        except (NotRight, requests.RequestException) as error:
            said = " ".join(str(error).split())[:160]
            journal.note(about, f"{what}: {said}")
            wait = pause
        if time.monotonic() > end:
            raise NotRight(f"{what}: not done in {seconds:.0f} s, at last: {said}")
        time.sleep(wait)
