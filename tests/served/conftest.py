"""The served shape, running: started from nothing, ended before other tests go on."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.served.machine import POSTGRES, Machine

HERE = "Debian's packages: apt-get install postgresql-15 redis-server (.ci/run does)."


def require_servers() -> None:
    """Fail, and say what to do, where a server is missing: this is never skipped."""
    missing = [name for name in ("redis-server", "redis-cli") if not shutil.which(name)]
    if not (POSTGRES / "postgres").exists():
        missing.append(str(POSTGRES / "postgres"))
    if missing:
        pytest.fail(f"Not installed here: {', '.join(missing)}. {HERE}", pytrace=False)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """Every service healthy, the demo loaded, the stand-ins beside."""
    require_servers()
    # Not pytest's own folder: each service's user has to pass through.
    base = Path(tempfile.mkdtemp(prefix="vrp-served-"))
    base.chmod(0o755)
    machine = Machine(base, {})
    try:
        bring_up(machine)
        yield machine
    finally:
        statuses = machine.stop()
        shutil.rmtree(base, ignore_errors=True)
    # Everything ends by itself within its grace: nothing had to be killed.
    assert set(statuses.values()) == {0}, statuses


def bring_up(machine: Machine) -> None:
    """``docker compose up``: in the order in which the services wait for each other."""
    machine.prepare()
    started: set[str] = set()
    healthy: set[str] = set()
    wanted = {n: s for n, s in machine.services.items() if not s.by_hand}
    while len(started) < len(wanted):
        ready = [
            service
            for name, service in wanted.items()
            if name not in started and set(service.waits_for) <= started
        ]
        assert ready, "the services wait for each other in a circle"
        for service in ready:
            needed = {
                name
                for name, condition in service.waits_for.items()
                if condition == "service_healthy"
            }
            if needed - healthy:
                machine.wait_healthy(*(needed - healthy))
                healthy |= needed
                if "db" in needed:
                    machine.fill_database()
            machine.start(service.name)
            started.add(service.name)
    load_demo(machine)
    machine.start_standins()
    machine.wait_healthy("web", "worker", "clock")


def load_demo(machine: Machine) -> None:
    """The documented command, in the web service's container."""
    machine.trial.mkdir()
    machine.trial.chmod(0o777)
    facts = machine.trial / "demo.json"
    command = ["python", "manage.py", "load_demo", "--out", str(facts)]
    machine.one_shot(machine.services["web"], command)
