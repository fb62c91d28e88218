"""Steps with elapsed time on the terminal, one line each."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TextIO

from vrp.embedded.errors import Interrupted


class Steps:
    """Prints ``  Doing this ...  1.2 s``; on a terminal the seconds run meanwhile."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()
        self._title = ""
        self._began = 0.0
        self._drawn = 0.0
        self.started = time.monotonic()

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step; its line ends with the seconds it took, ``failed`` or ``stopped``."""
        self._title = title
        self._began = time.monotonic()
        self._write(f"  {title:<44}")
        ending = "failed"
        try:
            yield
            ending = f"{time.monotonic() - self._began:6.1f} s"
        except Interrupted:
            ending = "stopped"
            raise
        finally:
            if self._live:
                self._write(f"\r  {title:<44}")
            self._write(f"{ending}{' ' * 8 if self._live else ''}\n")
            self._title = ""

    def tick(self) -> None:
        """Show the running seconds of the step in hand (terminals only)."""
        now = time.monotonic()
        if self._live and self._title and now - self._drawn > 0.5:
            self._drawn = now
            self._write(f"\r  {self._title:<44}{now - self._began:6.1f} s")

    def say(self, line: str) -> None:
        """A line of its own, also in the middle of a step."""
        if self._title:
            self._write("\n")
        self._write(f"  {line}\n")

    def _write(self, text: str) -> None:
        # A closed terminal is no reason to leave the servers behind.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()
