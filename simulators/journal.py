"""The append-only journal that lets the stand-ins be killed at any moment."""

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


class Journal:
    """One JSON object per line, written before what it describes is acted on.

    A line goes straight to the operating system, so it survives ``kill -9`` of this
    process. A power cut may cost the last lines: these are stand-ins, not a bank.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self._cut_torn_tail()

    def _cut_torn_tail(self) -> None:
        """Drop half a line left by a process that died while writing it."""
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            log.warning("journal: dropped %d torn bytes", len(content) - whole)
            os.ftruncate(self._fd, whole)

    def replay(self) -> Iterator[dict[str, Any]]:
        """Yield every line in the order it was written; unreadable ones are skipped."""
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    entry = json.loads(line)
                except ValueError:
                    log.warning("journal: line %d is not JSON, skipped", number)
                    continue
                if isinstance(entry, dict):
                    yield entry

    def append(self, entry: dict[str, Any]) -> None:
        """Write one line; raises OSError when the disk refuses it."""
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        while line:
            line = line[os.write(self._fd, line) :]

    def close(self) -> None:
        os.close(self._fd)
