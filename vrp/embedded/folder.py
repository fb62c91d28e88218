"""The data folder: what lies where, who holds it, what is secret."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from vrp.embedded.errors import StartError

# sockaddr_un holds 108 bytes on Linux and 104 on macOS; PostgreSQL's socket is the
# longest name we put behind the folder.
SOCKET_PATH_LIMIT = 100
_LONGEST_SOCKET = "pg/.s.PGSQL.5432"


@dataclass
class DataFolder:
    """One data folder. Every path below is absolute, symlinks resolved."""

    root: Path
    _lock: TextIO | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.root = Path(os.path.realpath(self.root))

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def redis(self) -> Path:
        return self.root / "redis"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def state(self) -> Path:
        return self.root / "processes.json"

    @property
    def demo(self) -> Path:
        return self.root / "demo.json"

    @property
    def restored(self) -> Path:
        """Names the backup this folder began with, if it did."""
        return self.root / "restored.txt"

    @property
    def sockets(self) -> Path:
        """Folder for unix sockets: inside, or a short one when the path is long."""
        inside = self.root / "run"
        if len(os.fsencode(inside / _LONGEST_SOCKET)) <= SOCKET_PATH_LIMIT:
            return inside
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        short = f"vrp-{os.geteuid()}-{digest}"
        for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108  # where sockets fit; a folder of our own in it
            candidate = Path(base) / short
            if len(os.fsencode(candidate / _LONGEST_SOCKET)) <= SOCKET_PATH_LIMIT:
                return candidate
        raise StartError(
            f"No folder short enough for unix sockets (data folder {self.root}). "
            "Choose a shorter --data path."
        )

    def open(self) -> None:
        """Make the folders and take the lock.

        Raises StartError if the folder cannot be written, or another supervisor
        holds it (its pid is named).
        """
        try:
            for folder in (self.root, self.logs, self.redis):
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder):
                    pass
            # The supervisor alone writes there; what programs print may be personal.
            self.logs.chmod(0o700)
            # Held open for as long as we live: closing it would give up the lock.
            self._lock = (self.root / "lock").open("a+")
        except OSError as error:
            raise StartError(_cannot_write(self.root, error)) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            self._lock = None
            holder = self.lock_holder()
            raise StartError(
                f"The data folder {self.root} is in use by "
                f"{f'process {holder}' if holder else 'another process'}. "
                "Stop that one first (Ctrl-C where it runs"
                f"{f', or: kill {holder}' if holder else ''}), "
                "or choose another folder with --data."
            ) from error
        self._lock.seek(0)
        self._lock.truncate()
        self._lock.write(f"{os.getpid()}\n")
        self._lock.flush()
        _private_folder(self.sockets)

    def lock_holder(self) -> int | None:
        """The pid written by whoever took the lock last, if it can be read."""
        try:
            return int((self.root / "lock").read_text().strip())
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Give the lock up; sockets that lie elsewhere go with it."""
        if self._lock is not None:
            if not self.sockets.is_relative_to(self.root):
                shutil.rmtree(self.sockets, ignore_errors=True)
            self._lock.close()
            self._lock = None

    def secret_key(self) -> str:
        """Django's SECRET_KEY: made once, kept in a file only its owner reads."""
        path = self.root / "secret_key"
        try:
            kept = path.read_text().strip()
            if kept:
                return kept
        except FileNotFoundError:
            pass
        value = secrets.token_urlsafe(48)
        _write_private(path, value + "\n")
        return value

    def keep_environment(
        self, environment: Mapping[str, str], database_urls: Mapping[str, str]
    ) -> None:
        """Note what the processes are told, so that ``manage.py`` in another shell
        speaks to this system, and as which role of the database (``app``, ``owner``,
        ``backup``). Holds the secret key: only its owner reads it."""
        for name, facts in (
            ("environment.json", environment),
            ("databases.json", database_urls),
        ):
            _write_private(self.root / name, json.dumps(dict(facts), indent=1) + "\n")


def _write_private(path: Path, text: str) -> None:
    """Replace a file in one step; nobody else can read it at any moment."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    fresh.replace(path)


def _cannot_write(root: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    return (
        f"The data folder {root} cannot be written "
        f"({error.filename or root}: {reason}). Choose another one with "
        "--data DIR, or give this one to your user (it may have been made by root)."
    )


def _private_folder(path: Path) -> None:
    """Make a folder only we can enter; refuse one that somebody else put there.

    As root others may walk through it, not list it: PostgreSQL's own account has its
    socket folder inside.
    """
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        path.mkdir(mode=mode, exist_ok=True)
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise StartError(
                f"{path} exists and is not a folder of yours: remove it, it is only "
                "used for sockets."
            )
        path.chmod(mode)
    except OSError as error:
        raise StartError(_cannot_write(path, error)) from error
