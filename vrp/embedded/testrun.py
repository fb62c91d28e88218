"""``bin/test``: pytest on throw-away servers, one command, one exit status."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vrp.embedded import leftovers
from vrp.embedded.errors import Interrupted, StartError
from vrp.embedded.folder import DataFolder
from vrp.embedded.options import PROJECT
from vrp.embedded.servers import Postgres, Redis
from vrp.embedded.supervisor import Supervisor

# Marks of the tests that need the machine for themselves.
ALONE = ("e2e", "browser", "faults")
NOTHING_COLLECTED = 5
_POSTGRES_15 = Path("/usr/lib/postgresql/15/bin/postgres")
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def main(arguments: list[str]) -> int:
    """Run the tests; returns pytest's exit status."""
    base = PROJECT / "var" / "test"
    remove_abandoned(base)
    supervisor: Supervisor | None = None
    folder: DataFolder | None = None
    try:
        folder = _make_folder(base)
        supervisor = Supervisor(folder.root, folder.logs, folder.state)
        supervisor.say = lambda line: print(line, file=sys.stderr)
        supervisor.catch_signals()
        environment = _start_servers(supervisor, folder)
        return _run(supervisor, environment, arguments)
    except Interrupted:
        return 130
    except StartError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    finally:
        if supervisor is not None:
            supervisor.stop()
        if folder is not None:
            discard(folder)


def _make_folder(base: Path) -> DataFolder:
    try:
        base.mkdir(parents=True, exist_ok=True)
        root = Path(tempfile.mkdtemp(prefix="run-", dir=base))
    except OSError as error:
        raise StartError(
            f"{base} cannot be written ({error.strerror}): the servers for the tests "
            "keep their data there."
        ) from error
    # mkdtemp lets nobody else in; PostgreSQL's own account (under root) must pass.
    root.chmod(0o755)
    folder = DataFolder(root)
    folder.open()
    return folder


def remove_abandoned(base: Path) -> None:
    """Clear away what killed test runs left: their processes and folders."""
    for root in base.glob("run-*"):
        with contextlib.suppress(OSError):
            # A run that has just made its folder may not hold its lock yet.
            if time.time() - root.stat().st_mtime < 60:
                continue
            with (root / "lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                leftovers.end(root)
                shutil.rmtree(DataFolder(root).sockets, ignore_errors=True)
                shutil.rmtree(root, ignore_errors=True)


def discard(folder: DataFolder) -> None:
    """Remove a stopped run's folder and sockets."""
    shutil.rmtree(folder.root, ignore_errors=True)
    folder.close()


def _start_servers(supervisor: Supervisor, folder: DataFolder) -> dict[str, str]:
    began = time.monotonic()
    postgres = Postgres(folder.postgres, folder.sockets, fast=True, max_connections=300)
    redis = Redis(folder.redis, folder.sockets, fast=True)
    supervisor.start(redis.program())
    postgres.prepare()
    supervisor.start(postgres.program())
    supervisor.wait_ready("redis", "postgres")
    postgres.ensure_role_and_database()
    seconds = time.monotonic() - began
    print(f"PostgreSQL and Redis for the tests: {folder.root} ({seconds:.1f} s)")
    return {
        "DATABASE_URL": postgres.url,
        "REDIS_URL": redis.url,
        "SECRET_KEY": os.environ.get("SECRET_KEY") or "only-for-tests",
    }


def _run(
    supervisor: Supervisor, environment: dict[str, str], arguments: list[str]
) -> int:
    if arguments:
        for folder, provide in (
            ("browser", provide_chromium),
            ("served", provide_servers),
        ):
            if any(folder in argument for argument in arguments):
                provide()
        return _pytest(supervisor, environment, arguments)
    provide_chromium()
    provide_servers()
    alone = " or ".join(ALONE)
    parallel = ["-n", "2", "-m", f"not ({alone})"]
    serial = ["-m", alone]
    statuses = []
    for title, part in (("in parallel", parallel), ("one by one", serial)):
        print(f"\nTests {title}: pytest {' '.join(part)}", flush=True)
        statuses.append(_pytest(supervisor, environment, part))
        if supervisor.stop_signal is not None:
            break
    if all(status == NOTHING_COLLECTED for status in statuses):
        return NOTHING_COLLECTED
    return next((s for s in statuses if s not in (0, NOTHING_COLLECTED)), 0)


def _pytest(
    supervisor: Supervisor, environment: dict[str, str], arguments: list[str]
) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return supervisor.run_attached(command, environment, PROJECT)


def provide_chromium() -> None:
    """Install Debian's Chromium if it is missing and we may; else say how."""
    if not any(shutil.which(name) for name in _CHROMIUM):
        _install("browser tests", "chromium")


def provide_servers() -> None:
    """Likewise the servers of ``docker-compose.yml``, which tests/served starts."""
    if not (_POSTGRES_15.exists() and shutil.which("redis-server")):
        _install("tests of the served shape", "postgresql-15", "redis-server")


def _install(what: str, *packages: str) -> None:
    named = " ".join(packages)
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        print(f"Missing here, and the {what} need it: apt-get install {named}")
        return
    print(f"Installing {named} for the {what} ...", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = [apt, "install", "-y", "-qq", "--no-install-recommends", *packages]
    for command in ([apt, "update", "-qq"], install):
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            print(f"That failed, the {what} will too:\n{done.stderr.strip()}")
            return


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
