"""``bin/up``: everything on one machine, from an empty folder to a running system."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from vrp.embedded import leftovers
from vrp.embedded.errors import Interrupted, StartError
from vrp.embedded.folder import DataFolder
from vrp.embedded.options import up_parser
from vrp.embedded.progress import Steps
from vrp.embedded.servers import APP, BACKUP, OWNER, Postgres, Redis
from vrp.embedded.stack import Stack, next_free_port, require_port, welcome
from vrp.embedded.supervisor import Supervisor

# Generous: a small machine loads two years of demo history in this time.
ONE_SHOT_SECONDS = 900.0
READY_SECONDS = 180.0


def main(arguments: list[str]) -> int:
    """Run until stopped; returns the exit status (0 after an ordinary stop)."""
    options = up_parser().parse_args(arguments)
    folder = DataFolder(options.data)
    steps = Steps()
    try:
        folder.open()
        if options.restore and folder.restored.exists():
            raise StartError(
                f"{folder.root} was restored already, from "
                f"{folder.restored.read_text().strip()}: start without --restore."
            )
        cleaned = leftovers.end(folder.root)
        if cleaned:
            steps.say(f"Ended {cleaned} processes that an earlier run left behind.")
        require_port(options.port)
    except StartError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return _supervise(options, folder, steps)


def _supervise(options: argparse.Namespace, folder: DataFolder, steps: Steps) -> int:
    """Start, stay, stop: the part in which children exist."""
    supervisor = Supervisor(folder.root, folder.logs, folder.state)
    supervisor.say = steps.say
    supervisor.on_turn = steps.tick
    supervisor.catch_signals()
    status = 0
    try:
        stack = _start(options, folder, steps, supervisor)
        seconds = time.monotonic() - steps.started
        print(welcome(stack) + f"  Ready after {seconds:.1f} s.\n", flush=True)
        supervisor.run_forever()
    except Interrupted:
        pass
    except StartError as error:
        print(f"\n{error}", file=sys.stderr)
        status = 1
    finally:
        with steps.step("Stopping"):
            supervisor.stop()
        folder.close()
    return status


def _start(
    options: argparse.Namespace,
    folder: DataFolder,
    steps: Steps,
    supervisor: Supervisor,
) -> Stack:
    steps.say(f"Starting the virtual resource planner on {folder.root}")
    database_urls, redis_url = _start_servers(folder, steps, supervisor)
    stack = Stack(
        folder=folder,
        port=options.port,
        standin_port=next_free_port(options.port + 1),
        database_url=database_urls["app"],
        owner_url=database_urls["owner"],
        redis_url=redis_url,
        copies=options.copies,
    )
    folder.keep_environment(stack.environment(), database_urls)
    if options.restore:
        _restore(options.restore.resolve(), stack, steps, supervisor)
    with steps.step("Bringing the database schema up to date"):
        supervisor.run(stack.migration(), ONE_SHOT_SECONDS)
    first = not folder.demo.exists()
    if first and not options.no_demo and not folder.restored.exists():
        with steps.step("Loading the demo tenants (first start only)"):
            command = stack.manage("load_demo", "--out", str(folder.demo))
            supervisor.run(command, ONE_SHOT_SECONDS)
    with steps.step("Starting web, worker, clock and stand-ins"):
        names = [supervisor.start(p).program.name for p in stack.processes()]
        if not first:
            # The ports may have changed; runs while the processes come up.
            command = stack.manage("demo_facts", "--out", str(folder.demo))
            supervisor.run(command, ONE_SHOT_SECONDS)
        supervisor.wait_ready(*names, timeout=READY_SECONDS)
    with steps.step("Waiting until the system says it is ready"):
        _wait_for_readiness(supervisor, stack)
    return stack


def _restore(dump: Path, stack: Stack, steps: Steps, supervisor: Supervisor) -> None:
    """Bring a backup back and show what was proven: it is read only once."""
    with steps.step(f"Restoring {dump.name}"):
        done = supervisor.run(stack.restoration(dump), ONE_SHOT_SECONDS)
        stack.folder.restored.write_text(f"{dump}\n")
    for line in done.log.tail:
        steps.say(f"  {line}")


def _start_servers(
    folder: DataFolder, steps: Steps, supervisor: Supervisor
) -> tuple[dict[str, str], str]:
    """Start what the environment does not name; returns the URLs.

    Of the database one for each role. A database that the environment names is used as
    the one role given for everything.
    """
    database_url, redis_url = _given("DATABASE_URL"), _given("REDIS_URL")
    postgres = Postgres(folder.postgres, folder.sockets)
    redis = Redis(folder.redis, folder.sockets)
    ours = [
        name
        for name, given in (("postgres", database_url), ("redis", redis_url))
        if not given
    ]
    given = dict.fromkeys(("app", "owner", "backup"), database_url)
    if not ours:
        return given, redis_url
    with steps.step("Starting " + " and ".join(_LABELS[name] for name in ours)):
        if not redis_url:
            supervisor.start(redis.program())
        if not database_url:
            postgres.prepare()
            supervisor.start(postgres.program())
        supervisor.wait_ready(*ours)
        if not database_url:
            postgres.ensure_roles()
            names = {"app": APP, "owner": OWNER, "backup": BACKUP}
            given = {what: postgres.url_as(role) for what, role in names.items()}
    return given, redis_url or redis.url


_LABELS = {"postgres": "PostgreSQL", "redis": "Redis"}


def _given(name: str) -> str:
    """A server's URL from the environment, or from the file ``<name>_FILE`` names."""
    value = os.environ.get(name, "").strip()
    path = os.environ.get(f"{name}_FILE", "").strip()
    if value or not path:
        return value
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read().strip()
    except OSError as error:
        raise StartError(f"{name}_FILE: cannot read {path}: {error}") from error


def _wait_for_readiness(supervisor: Supervisor, stack: Stack) -> None:
    said = ""
    asked_at = 0.0

    def ready() -> bool:
        nonlocal said, asked_at
        if time.monotonic() - asked_at < 0.3:
            return False
        good, said = stack.readiness()
        asked_at = time.monotonic()
        return good

    if not supervisor.wait_until(ready, READY_SECONDS):
        raise StartError(
            f"{stack.url}/readyz did not say 200 within {READY_SECONDS:.0f} s. "
            f"It last said:\n    {said.strip()}\n  Logs: {stack.folder.logs}/"
        )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
