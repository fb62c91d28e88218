"""The system under trial: ``bin/up`` in a folder of its own, hasty, all doubled."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import psycopg2
import redis

from vrp.embedded.folder import DataFolder
from vrp.embedded.options import PROJECT
from vrp.embedded.stack import next_free_port

READY = "Ready after"
START_SECONDS = 420
COPIES = 2
# Waits of recovery are divided by this; seconds to wait for carrier and wallet.
HASTE, CONNECT_SECONDS, READ_SECONDS = 30, 1, 2
# Named by whoever starts us for servers of their own; this system starts its own.
NOT_OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")
PARTS = ("web", "worker", "worker-2", "clock", "clock-2", "standins")


class House:
    """One running system, looked at and harmed from outside."""

    def __init__(self, port: int = 0) -> None:
        # Not below a private folder: PostgreSQL's account (under root) must pass.
        self.data = Path(tempfile.mkdtemp(prefix="vrp-faults-"))
        self.data.chmod(0o755)
        self.folder = DataFolder(self.data)
        self.port = port or next_free_port(23_000 + os.getpid() % 200 * 4)
        self._said = self.data / "up.log"
        self._process: subprocess.Popen[bytes] | None = None

    # -- life ----------------------------------------------------------------------

    def start(self) -> None:
        """Start all of it and load the trial's network. Raises RuntimeError."""
        command = [sys.executable, "-m", "vrp.embedded.up", "--no-demo"]
        command += ["--port", str(self.port), "--copies", str(COPIES)]
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [*command, "--data", str(self.data)],
                cwd=PROJECT,
                env=self._environment(),
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        end = time.monotonic() + START_SECONDS
        while READY not in self._said.read_text("utf-8", "replace"):
            if self._process.poll() is not None or time.monotonic() > end:
                said_so_far = self._said.read_text("utf-8", "replace")[-4000:]
                self.stop(keep=True)
                raise RuntimeError(f"The system did not start:\n{said_so_far}")
            time.sleep(0.2)
        self.python("-m", "bench.faults.network", "--out", str(self.folder.demo))

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in NOT_OURS and not name.startswith("VRP_")
        }
        return kept | {
            "VRP_HASTE": str(HASTE),
            "VRP_CONNECT_TIMEOUT": str(CONNECT_SECONDS),
            "VRP_READ_TIMEOUT": str(READ_SECONDS),
            # The limits have tests of their own; here a crowd has one address.
            **dict.fromkeys(_rates(), "100000/min"),
        }

    def stop(self, *, keep: bool = False) -> None:
        """End it as Ctrl-C does; what hangs is killed. ``keep`` leaves the folder."""
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=10)
        if not keep:
            shutil.rmtree(self.data, ignore_errors=True)

    def python(self, *arguments: str) -> str:
        """Run Python as the system's own processes do; returns what it printed."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env={**self._environment(), **self.told},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            said = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            raise RuntimeError(f"{' '.join(arguments)} failed:\n{said}")
        return done.stdout

    # -- looking in ------------------------------------------------------------------

    @property
    def told(self) -> dict[str, str]:
        """The environment of the system's processes."""
        path = self.folder.root / "environment.json"
        found: dict[str, str] = json.loads(path.read_text())
        return found

    @contextlib.contextmanager
    def cursor(self) -> Iterator[Any]:
        """A cursor within the trial's tenant; committed at the end."""
        connection = psycopg2.connect(self.told["DATABASE_URL"], connect_timeout=5)
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('vrp.tenant', id::text, false)"
                    " FROM tenancy_tenant WHERE slug = 'soko-demo'"
                )
                yield cursor
            connection.commit()
        finally:
            connection.close()

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of the trial's tenant."""
        with self.cursor() as cursor:
            cursor.execute(query, values)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def states(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says of each process."""
        try:
            found: dict[str, dict[str, Any]] = json.loads(self.folder.state.read_text())
        except (OSError, ValueError):
            return {}
        return found

    def runs(self, name: str) -> bool:
        """Whether the process is up, as far as the supervisor knows."""
        state = self.states().get(name, {})
        return state.get("state") == "running" and bool(state.get("pid"))

    def down(self) -> int:
        """How many processes are not up."""
        return sum(not self.runs(name) for name in (*PARTS, "postgres", "redis"))

    # -- harm --------------------------------------------------------------------------

    def signal(self, name: str, number: int) -> bool:
        """Signal a process, not its children; False if it does not run."""
        if not self.runs(name):
            return False
        try:
            os.kill(int(self.states()[name]["pid"]), number)
        except (ProcessLookupError, KeyError):
            return False
        return True

    def kill_child(self, name: str, choose: Any) -> bool:
        """SIGKILL to one child of a process, picked by ``choose``."""
        if not self.runs(name):
            return False
        try:
            parent = psutil.Process(int(self.states()[name]["pid"]))
            children = sorted(parent.children(recursive=True), key=lambda one: one.pid)
            if not children:
                return False
            choose(children).kill()
        except (psutil.Error, KeyError):
            return False
        return True

    def flush_redis(self) -> bool:
        """Forget everything that Redis holds: the queue above all."""
        url = self.told["REDIS_URL"]
        try:
            with redis.Redis.from_url(url, socket_timeout=2) as client:
                client.flushall()
        except redis.RedisError:
            return False
        return True


def _rates() -> list[str]:
    """The variables that limit how often somebody may do something."""
    text = (PROJECT / ".env.example").read_text()
    lines = (line.lstrip("# ") for line in text.splitlines())
    names = (line.partition("=") for line in lines if line.startswith("VRP_"))
    return [name for name, _, value in names if "/" in value and name.endswith("RATE")]
