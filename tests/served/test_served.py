"""The shape of docker-compose.yml, on Debian's PostgreSQL 15 and Redis: from nothing to
one order that is made, paid and shipped."""

import json
import subprocess
import sys
from urllib.request import urlopen

import pytest

from tests.served.machine import Machine
from vrp.embedded.options import PROJECT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_every_service_is_healthy_and_the_system_is_ready(machine: Machine) -> None:
    for name, service in machine.services.items():
        if not service.is_step:
            assert machine.is_healthy(name), name
    with urlopen(f"{machine.url}/readyz", timeout=5) as answer:
        assert set(json.load(answer)["parts"].values()) == {"ok"}


def test_one_order_goes_all_the_way(machine: Machine) -> None:
    """Told by the tour, from a shell that knows nothing of the system's settings."""
    done = subprocess.run(
        [sys.executable, "manage.py", "walk", "--no-webhook",
         "--data", machine.trial, "--po", "SERVED-1"],
        cwd=PROJECT, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    logs = "".join(machine.tail(name) for name in ("web", "worker", "clock"))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:] + logs
    assert "SERVED-1: from the buyer's call to paid artisans" in done.stdout
    assert "cannot have webhooks sent to the inner network" in done.stdout


def test_everything_ends_when_it_is_told_to(machine: Machine) -> None:
    """Within its grace, by itself: nothing has to be killed."""
    statuses = machine.stop()
    assert set(statuses) == {"db", "redis", "web", "worker", "clock", "standins"}
    assert set(statuses.values()) == {0}, statuses
