"""The whole system as ``bin/up`` starts it, for tests: its own data folder and ports."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg2

from vrp.embedded.folder import DataFolder
from vrp.embedded.options import PROJECT
from vrp.embedded.servers import APP, Postgres, Redis
from vrp.embedded.stack import Stack, next_free_port
from vrp.walk.facts import Facts, read_facts

READY = "Ready after"
START_SECONDS = 420


class System:
    """One running system; ``stop`` ends all of it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.folder = DataFolder(data)
        # Away from the port of a system that somebody uses on this machine.
        self.port = next_free_port(18_100 + os.getpid() % 1_000 * 4)
        self._said = data / "up.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it says that it is ready. Raises RuntimeError."""
        command = [sys.executable, "-m", "vrp.embedded.up", "--port", str(self.port)]
        # The suite's own servers are named there; this system starts its own.
        ours = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ours and not name.startswith("VRP_")
        }
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [*command, "--data", str(self.data)],
                cwd=PROJECT,
                env=environment,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        end = time.monotonic() + START_SECONDS
        while READY not in self.said():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"The system did not start:\n{self.said()[-4000:]}")
            time.sleep(0.2)

    def said(self) -> str:
        """What the supervisor printed so far."""
        return self._said.read_text("utf-8", "replace")

    def stop(self) -> None:
        """End it as Ctrl-C does; a supervisor that hangs is killed."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)
        self._process = None

    # -- looking in --------------------------------------------------------------------

    @property
    def facts(self) -> Facts:
        return read_facts(self.data)

    @property
    def database_url(self) -> str:
        return Postgres(self.folder.postgres, self.folder.sockets).url_as(APP)

    @property
    def redis_url(self) -> str:
        return Redis(self.folder.redis, self.folder.sockets).url

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of the demo tenant, read in a transaction that may not write."""
        connection = psycopg2.connect(self.database_url)
        try:
            connection.set_session(readonly=True)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('vrp.tenant', id::text, false)"
                    " FROM tenancy_tenant WHERE slug = 'soko-demo'"
                )
                cursor.execute(query, values)
                return cursor.fetchall()
        finally:
            connection.close()

    def manage(self, *arguments: str) -> str:
        """Run a management command as the system's own processes would."""
        stack = Stack(
            folder=self.folder,
            port=self.port,
            standin_port=int(self.facts.standin_url.rpartition(":")[2]),
            database_url=self.database_url,
            redis_url=self.redis_url,
        )
        return run_manage(*arguments, environment=stack.environment())


def run_manage(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run ``manage.py``; returns what it printed. Raises CalledProcessError."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode:
        raise AssertionError(
            f"manage.py {' '.join(arguments)} ended with {done.returncode}:\n"
            f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
    return done.stdout
