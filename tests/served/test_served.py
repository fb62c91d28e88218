"""The shape of docker-compose.yml, on Debian's PostgreSQL 15 and Redis: from nothing to
one order that is made, paid and shipped."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from urllib.request import urlopen

import psycopg2
import pytest
import requests

from tests.certificates import write_certificate
from tests.embedded.forbidden import FORBIDDEN, refused
from tests.served.machine import Machine
from tests.standin import until
from vrp.embedded.options import PROJECT
from vrp.embedded.stack import next_free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def ask(url: str, statement: str) -> int:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


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


def test_the_application_may_change_rows_and_nothing_else(machine: Machine) -> None:
    app = machine.database_url("app")
    for statement in FORBIDDEN:
        assert refused(app, statement), statement
    # The owner is bound by the policies too; only the backup's role reads past them.
    count = "SELECT count(*) FROM orders_order"
    assert ask(app, count) == ask(machine.database_url("owner"), count) == 0
    assert ask(machine.database_url("backup"), count) > 0
    assert refused(machine.database_url("backup"), "DELETE FROM orders_order")


PRODUCTION = {
    "VRP_PUBLIC_URL": "https://planner.example.org",
    "VRP_ALLOWED_HOSTS": "planner.example.org",
    "VRP_AFRICASTALKING_URL": "https://api.africastalking.com/version1",
    "VRP_DARAJA_URL": "https://api.safaricom.co.ke",
    "VRP_DARAJA_CERTIFICATE_FILE": "/run/certificates/daraja.pem",
}
CHECK = ["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]


def test_with_the_addresses_of_production_the_check_finds_nothing(
    machine: Machine,
) -> None:
    (machine.base / "certificates").mkdir()
    write_certificate(machine.base / "certificates" / "daraja.pem")
    said = machine.one_shot(machine.services["web"], CHECK, PRODUCTION)
    assert "no issues" in said


def test_behind_a_proxy_the_health_check_still_finds_the_web(machine: Machine) -> None:
    """With https everything else is sent there; the check asks from within, by the
    name that the outside uses."""
    web = machine.services["web"]
    port = next_free_port(machine.ports["standin"] + 1)
    command = [part.replace("8000", str(port)) for part in web.command]
    process = machine.begin(web, command, PRODUCTION)
    try:
        probe = [*web.health[:-1], str(port)]
        until(
            lambda: machine.outcome(machine.begin(web, probe, PRODUCTION))[0],
            seconds=web.patience,
        )
        url, host = f"http://127.0.0.1:{port}/ops/", {"Host": "planner.example.org"}
        plain = requests.get(url, headers=host, allow_redirects=False, timeout=10)
        assert plain.headers["Location"] == "https://planner.example.org/ops/"
        host["X-Forwarded-Proto"] = "https"
        secure = requests.get(url, headers=host, allow_redirects=False, timeout=10)
        assert secure.headers["Location"].startswith("/ops/sign-in/")
        assert "includeSubDomains" in secure.headers["Strict-Transport-Security"]
    finally:
        process.terminate()
        machine.outcome(process)


def test_the_check_refuses_every_role_but_the_applications(machine: Machine) -> None:
    """And, on the way, the stand-ins and plain HTTP of this trial."""
    web = machine.services["web"]
    expected = {"owner": "vrp.E104", "backup": "vrp.E103", "superuser": "vrp.E102"}
    begun = {}
    for role in expected:
        # Not with DATABASE_URL_FILE beside it: one of the two is enough.
        other = replace(web, environment=web.environment | {"DATABASE_URL_FILE": ""})
        url = {"DATABASE_URL": machine.database_url(role)}
        begun[role] = machine.begin(other, CHECK, url)
    for role, process in begun.items():
        clean, said = machine.outcome(process)
        assert not clean
        for number in (4, 6, 7):
            assert f"vrp.E00{number}" in said
        fired = {name for name in expected.values() if name in said}
        assert fired == {expected[role]}, said


def test_a_backup_is_made_by_the_role_for_it(machine: Machine) -> None:
    """And what operators ask of the system, they may ask as the application."""
    verify = ["python", "manage.py", "verify_events"]
    verifying = machine.begin(machine.services["web"], verify)
    backup = machine.services["backup"]
    said = machine.one_shot(backup, backup.command)
    [dump] = (machine.base / "backup" / "data").glob("*.dump")
    assert dump.stat().st_size > 10_000, said
    assert dump.stat().st_mode & 0o077 == 0
    holds, said = machine.outcome(verifying)
    assert holds, said


def test_a_worker_that_hangs_is_unhealthy(machine: Machine) -> None:
    """Stopped and not dead: its process is there, and nothing comes from it."""
    with closing(psycopg2.connect(machine.database_url("app"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            os.kill(machine.running["worker"].pid, signal.SIGSTOP)
            try:
                cursor.execute(
                    "UPDATE ops_heartbeat SET at = now() - interval '46 seconds'"
                    " WHERE name LIKE 'celery@%'"
                )
                # Another worker lives, and must not hide it.
                cursor.execute(
                    "UPDATE ops_heartbeat SET at = now() WHERE name = 'worker'"
                )
                assert not machine.is_healthy("worker")
            finally:
                os.kill(machine.running["worker"].pid, signal.SIGCONT)
    assert "celery@" in machine.tail("worker", "health")
