"""How the tour is told: numbered steps, a small phone, dots while waiting."""

import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from vrp.walk.web import poll

WIDTH = 88
PHONE = 32
COLOURS = {
    "chapter": "1;36",
    "who": "1",
    "phone": "33",
    "money": "1;32",
    "good": "32",
    "bad": "1;31",
    "faint": "2",
}


def count(number: int, thing: str) -> str:
    """1 piece, 2 pieces."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


class Show:
    """Writes the story. ``quiet`` leaves chapters and the end only."""

    def __init__(self, out: TextIO | None = None, *, quiet: bool = False) -> None:
        self.out = out or sys.stdout
        self.quiet = quiet
        self.colours = self.out.isatty() and not os.environ.get("NO_COLOR")
        self.number = 0
        self.began = time.monotonic()

    def paint(self, text: str, tone: str) -> str:
        return f"\x1b[{COLOURS[tone]}m{text}\x1b[0m" if self.colours else text

    def _write(self, text: str, end: str = "\n") -> None:
        self.out.write(text + end)
        self.out.flush()

    def chapter(self, title: str) -> None:
        """A new part of the story."""
        line = (
            title if self.quiet else f"\n== {title} " + "=" * (WIDTH - 4 - len(title))
        )
        self._write(self.paint(line, "chapter"))

    def step(self, who: str, what: str) -> None:
        """Somebody did something, and it was as it should be."""
        self.number += 1
        if self.quiet:
            return
        head = f"{self.number:3}. {who}: "
        lines = textwrap.wrap(what, WIDTH - 5, initial_indent=" " * (len(head) - 5))
        first = lines[0].lstrip() if lines else ""
        self._write(f"{self.number:3}. {self.paint(who + ':', 'who')} {first}")
        for line in lines[1:]:
            self._write("     " + line)

    def note(self, text: str) -> None:
        """A detail below a step."""
        if self.quiet:
            return
        for index, line in enumerate(textwrap.wrap(text, WIDTH - 7)):
            self._write(self.paint(("     - ", "       ")[index > 0] + line, "faint"))

    def money(self, text: str) -> None:
        """What somebody is paid."""
        if not self.quiet:
            self._write("     " + self.paint(f"+ {text}", "money"))

    def phone(self, owner: str, top: str, text: str, typed: str = "") -> None:
        """A phone's screen with a text as it came; ``typed`` is her answer to it."""
        if self.quiet:
            return
        edge = "-" * (PHONE + 2)
        head = f"{owner}  {top}"[:PHONE]
        rows = [
            row
            for line in text.splitlines() or [""]
            for row in textwrap.wrap(line, PHONE) or [""]
        ]
        if typed:
            rows += ["", f"> {typed}"]
        drawn = [f".{edge}.", f"| {head:<{PHONE}} |", f"|{edge}|"]
        drawn += [f"| {row:<{PHONE}} |" for row in rows]
        drawn += [f"'{edge}'"]
        for line in drawn:
            self._write("       " + self.paint(line, "phone"))

    @contextmanager
    def _dots(self, what: str) -> Iterator[Callable[[], None]]:
        """A line of dots for a wait; nothing is written if it is over at once."""
        written = 0

        def tick() -> None:
            nonlocal written
            if self.quiet:
                return
            if not written:
                self._write(self.paint(f"     {what} ", "faint"), end="")
            if written < WIDTH:
                self._write(self.paint(".", "faint"), end="")
            written += 1

        try:
            yield tick
        finally:
            if written:
                self._write("")

    def wait(
        self,
        what: str,
        probe: Callable[[], Any],
        *,
        seconds: float = 60,
        pause: float = 0.5,
    ) -> Any:
        """Wait for ``probe`` to return something true, with dots, at most ``seconds``."""
        with self._dots(what) as tick:
            return poll(what, probe, seconds=seconds, pause=pause, tick=tick)

    def end(self, text: str) -> None:
        """The last line of a tour that went well."""
        seconds = time.monotonic() - self.began
        line = f"{text} {self.number} steps, {seconds:.0f} s."
        self._write(("" if self.quiet else "\n") + self.paint(line, "good"))

    def failed(self, text: str) -> None:
        """The last line of one that did not."""
        self._write(
            self.paint(f"\nNot as it should be, after step {self.number}: ", "bad")
            + text
        )
