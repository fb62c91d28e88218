"""Throw-away servers to measure on: one start, any number of databases.

``laboratory()`` starts PostgreSQL (with its durability on, as in production) and Redis,
sets Django up and migrates once; databases are copies of that. ``Laboratory.on`` points
Django's connection of this process at one of them, so that two can be compared turn by
turn. The tests borrow the servers they run on instead.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2

from vrp.embedded import leftovers
from vrp.embedded.children import in_child
from vrp.embedded.folder import DataFolder
from vrp.embedded.options import PROJECT
from vrp.embedded.programs import answers_tcp
from vrp.embedded.servers import Postgres, Redis
from vrp.embedded.stack import HOST, next_free_port
from vrp.embedded.supervisor import Supervisor
from vrp.embedded.testrun import discard, remove_abandoned

TEMPLATE = "bench_template"
_SUPERUSER = "postgres"


@dataclass(frozen=True)
class Database:
    """One database of the laboratory. ``url`` is the application's own, plain role."""

    name: str
    url: str


@dataclass
class Laboratory:
    """Servers, and what was made on them. ``close`` ends and removes all of it."""

    socket_folder: Path
    role: str
    redis_url: str
    logs: Path
    template: str
    prefix: str = ""
    supervisor: Supervisor | None = None
    folder: DataFolder | None = None
    _made: list[str] = field(default_factory=list)
    _wrappers: dict[str, Any] = field(default_factory=dict)
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def superuser(self, database: str = "postgres") -> Any:
        """A connection that row-level security does not bind, in autocommit."""
        connection = psycopg2.connect(
            host=str(self.socket_folder), user=_SUPERUSER, dbname=database
        )
        connection.autocommit = True
        return connection

    def database(self, name: str, template: str = "") -> Database:
        """A new database, a copy of ``template`` (default: migrated and empty)."""
        name = f"{self.prefix}{name}"
        self._close_wrapper(template or self.template)
        copied = template or self.template
        with contextlib.closing(self.superuser()) as connection:
            cursor = connection.cursor()
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            cursor.execute(
                f'CREATE DATABASE "{name}" OWNER "{self.role}" TEMPLATE "{copied}"'
                " STRATEGY FILE_COPY"
            )
        self._made.append(name)
        return Database(name, self.url(name))

    def url(self, name: str) -> str:
        return f"postgresql://{self.role}@/{name}?host={quote(str(self.socket_folder))}"

    @contextlib.contextmanager
    def on(self, database: Database) -> Iterator[None]:
        """Django's default connection is to this database, inside the block."""
        from django.db import connections

        before = connections["default"]
        wrapper = self._wrappers.get(database.name)
        if wrapper is None:
            settings = {**before.settings_dict, "NAME": database.name}
            wrapper = self._wrappers[database.name] = type(before)(settings, "default")
        connections["default"] = wrapper
        try:
            yield
        finally:
            connections["default"] = before

    def backends(self) -> list[int]:
        """Processes of PostgreSQL that serve this process's connections, by their id."""
        open_ones = [one.connection for one in self._wrappers.values()]
        return [one.info.backend_pid for one in open_ones if one is not None]

    def _close_wrapper(self, name: str) -> None:
        """A database is copied only while nobody is connected to it."""
        from django.db import connections

        wrapper = self._wrappers.pop(name, None)
        if wrapper is not None:
            wrapper.close()
        if connections["default"].settings_dict["NAME"] == name:
            connections["default"].close()

    def environment(self, database: Database) -> dict[str, str]:
        """What a process of the application on this database is told."""
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "vrp.settings",
            "DATABASE_URL": database.url,
            "REDIS_URL": self.redis_url,
            "SECRET_KEY": os.environ["SECRET_KEY"],
            "VRP_EMBEDDED": "1",
            "VRP_DATA_DIR": str(self.logs.parent),
            "PYTHONUNBUFFERED": "1",
            leftovers.MARK: str(self.logs.parent),
        }

    def start(
        self, name: str, arguments: list[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """A Python process of the application; what it says goes to a log file."""
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=PROJECT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=in_child(lambda: None, signal.SIGTERM),
            )
        self._processes.append(process)
        return process

    def wait_for(self, process: subprocess.Popen[bytes], port: int) -> None:
        """Until it accepts connections; raises with its log when it does not."""
        deadline = time.monotonic() + 60
        while not answers_tcp(port)():
            if process.poll() is not None or time.monotonic() > deadline:
                said = [path.read_text()[-3000:] for path in self.logs.glob("*.log")]
                raise RuntimeError("It does not answer.\n" + "\n".join(said))
            time.sleep(0.05)

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End a process that ``start`` started, and its children."""
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process in self._processes:
            self._processes.remove(process)

    def free_port(self) -> int:
        return next_free_port(28_000)

    def close(self) -> None:
        """End processes and servers, remove databases and files."""
        for process in list(self._processes):
            self.stop(process)
        for wrapper in self._wrappers.values():
            wrapper.close()
        self._wrappers.clear()
        if self.supervisor is not None and self.folder is not None:
            self.supervisor.stop()
            discard(self.folder)
            return
        with contextlib.closing(self.superuser()) as connection:
            for name in self._made:
                connection.cursor().execute(
                    f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
                )


_open: list[Laboratory] = []


def laboratory() -> Laboratory:
    """The laboratory of this process: started at the first call, closed at the end."""
    if not _open:
        _open.append(_start())
        atexit.register(close)
    return _open[0]


def close() -> None:
    """Close the laboratory if there is one."""
    while _open:
        _open.pop().close()


def _start() -> Laboratory:
    began = time.monotonic()
    base = PROJECT / "var" / "bench"
    base.mkdir(parents=True, exist_ok=True)
    remove_abandoned(base)
    root = Path(tempfile.mkdtemp(prefix="run-", dir=base))
    # PostgreSQL's own account (when we are root) must pass.
    root.chmod(0o755)
    folder = DataFolder(root)
    folder.open()
    supervisor = Supervisor(folder.root, folder.logs, folder.state)
    supervisor.say = lambda line: print(line, file=sys.stderr)
    postgres = Postgres(folder.postgres, folder.sockets, max_connections=200)
    redis = Redis(folder.redis, folder.sockets)
    supervisor.start(redis.program())
    postgres.prepare()
    supervisor.start(postgres.program())
    supervisor.wait_ready("redis", "postgres")
    postgres.ensure_role_and_database()
    role = re.search("//([^@]+)@", postgres.url)
    assert role is not None
    lab = Laboratory(
        socket_folder=postgres.socket_folder,
        role=role[1],
        redis_url=redis.url,
        logs=folder.logs,
        template=TEMPLATE,
        supervisor=supervisor,
        folder=folder,
    )
    _set_django_up(lab)
    print(f"Servers and schema: {time.monotonic() - began:.0f} s", flush=True)
    return lab


def _set_django_up(lab: Laboratory) -> None:
    """Settings of this process, and the migrated database that others are copies of."""
    with contextlib.closing(lab.superuser()) as connection:
        connection.cursor().execute(f'CREATE DATABASE "{TEMPLATE}" OWNER "{lab.role}"')
    os.environ.update(
        {
            "DATABASE_URL": lab.url(TEMPLATE),
            "REDIS_URL": lab.redis_url,
            "SECRET_KEY": os.environ.get("SECRET_KEY") or "only-for-measuring",
            "VRP_EMBEDDED": "1",
            "VRP_DATA_DIR": str(lab.logs.parent),
            # The driver's own requests are not logged; served ones are, as in use.
            "VRP_LOG_LEVEL": os.environ.get("VRP_LOG_LEVEL") or "WARNING",
        }
    )
    import django
    from django.core.management import call_command
    from django.db import connection as default

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    default.close()


def borrowed(prefix: str, logs: Path) -> Laboratory:
    """The servers that Django is set up for already: what the tests measure on.

    Databases are copies of the current one and named with ``prefix``.
    """
    from django.conf import settings
    from django.db import connection

    given = connection.settings_dict
    return Laboratory(
        socket_folder=Path(given["HOST"]),
        role=given["USER"],
        redis_url=settings.REDIS_URL,
        logs=logs,
        template=given["NAME"],
        prefix=prefix,
    )


__all__ = ["HOST", "Database", "Laboratory", "borrowed", "close", "laboratory"]
