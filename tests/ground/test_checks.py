"""``manage.py check --deploy``: each check seen firing, and seen silent."""

import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.checks import CheckMessage, registry, run_checks
from django.db import connection
from django.db.utils import ConnectionHandler
from django.utils import timezone

from tests.certificates import write_certificate
from tests.standin import until
from vrp.embedded.servers import Redis
from vrp.ops import checks
from vrp.ops.beats import beat
from vrp.ops.models import Heartbeat
from vrp.settings import database_from

ROOT = Path(__file__).parent.parent.parent


def ids(found: list[CheckMessage]) -> set[str]:
    return {str(one.id) for one in found}


def one(found: list[CheckMessage], name: str) -> CheckMessage:
    """The finding with this id; it says what is wrong, and what to do next."""
    [message] = [message for message in found if message.id == name]
    assert message.msg.endswith(".")
    assert message.hint
    assert message.hint.endswith(".")
    return message


# -- settings --------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return write_certificate(tmp_path / "wallet.pem")


@pytest.fixture
def fit(settings: Any, tmp_path: Path, certificate: Path) -> Any:
    """Settings as they should be on servers."""
    (tmp_path / "staticfiles.json").write_text("{}")
    settings.SECRET_KEY = "5f" * 32
    settings.FIELD_KEYS = ["a7" * 32]
    settings.EMBEDDED = False
    settings.PUBLIC_URL = "https://planner.example.org"
    settings.ALLOWED_HOSTS = ["planner.example.org"]
    settings.STANDIN_URL = "http://standins:8001"
    settings.AFRICASTALKING_URL = "https://api.africastalking.com/version1"
    settings.DARAJA_URL = "https://api.safaricom.co.ke"
    settings.DARAJA_CERTIFICATE_FILE = str(certificate)
    settings.STATIC_ROOT = tmp_path
    return settings


def test_settings_that_are_fit_are_let_pass(fit: Any) -> None:
    assert checks.check_settings() == []


@pytest.mark.parametrize(
    ("name", "value", "expected", "told"),
    [
        ("SECRET_KEY", "change-me-to-fifty-random-characters", "vrp.E001", "example"),
        ("SECRET_KEY", "short", "vrp.E001", "too short"),
        ("FIELD_KEYS", ["5f" * 32], "vrp.E002", "VRP_FIELD_KEYS is not set"),
        ("FIELD_KEYS", ["5f" * 32, "old"], "vrp.E002", "VRP_FIELD_KEYS is not set"),
        ("EMBEDDED", True, "vrp.E003", "VRP_EMBEDDED"),
        ("PUBLIC_URL", "http://planner.example.org", "vrp.E004", "clear text"),
        ("ALLOWED_HOSTS", ["localhost"], "vrp.E005", "planner.example.org"),
        ("AFRICASTALKING_URL", "http://127.0.0.1:8001/version1", "vrp.E006", "127"),
        ("AFRICASTALKING_URL", "http://standins:8001/version1", "vrp.E006", "standins"),
        ("DARAJA_URL", "http://localhost:8001", "vrp.E007", "nobody would get money"),
        ("DARAJA_CERTIFICATE_FILE", "", "vrp.E008", "is not set"),
        ("DARAJA_CERTIFICATE_FILE", "/nowhere.pem", "vrp.E008", "No such file"),
        ("DARAJA_CERTIFICATE_FILE", __file__, "vrp.E008", "no certificate"),
        ("STATIC_ROOT", "/nowhere", "vrp.E009", "not collected"),
    ],
)
def test_a_setting_that_is_not_fit_is_named(
    fit: Any, name: str, value: Any, expected: str, told: str
) -> None:
    setattr(fit, name, value)
    found = checks.check_settings()
    assert ids(found) == {expected}
    assert told in one(found, expected).msg


# -- database --------------------------------------------------------------------------
# tests/served asks with the real roles, and sees E102, E103 and E104 fire for the owner,
# the backup's role and the superuser, and none for vrp_app.


@pytest.mark.django_db
def test_the_tests_own_role_owns_its_tables() -> None:
    found = list(checks.database_findings(connection))
    assert ids(found) == {"vrp.E104"}
    assert "owns" in one(found, "vrp.E104").msg


@pytest.mark.django_db
def test_a_table_whose_policy_is_not_forced_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_order NO FORCE ROW LEVEL SECURITY")
        cursor.execute("DROP POLICY tenant_only ON artisans_area")
    found = list(checks.database_findings(connection))
    assert "artisans_area, orders_order." in one(found, "vrp.E105").msg


@pytest.mark.django_db
def test_a_migration_that_was_not_run_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'payments'"
            " AND name = (SELECT max(name) FROM django_migrations WHERE app = 'payments')"
        )
    found = list(checks.database_findings(connection))
    assert "payments.0" in one(found, "vrp.E106").msg


@pytest.mark.django_db
def test_a_database_that_is_away_is_named() -> None:
    away = database_from("postgresql://vrp_app@/vrp?host=/nowhere")
    handler = ConnectionHandler({"default": away})
    found = list(checks.database_findings(handler["default"]))
    assert ids(found) == {"vrp.E101"}
    assert "does not answer" in one(found, "vrp.E101").msg


# -- Redis -----------------------------------------------------------------------------


@pytest.fixture
def own_redis(tmp_path: Path, settings: Any) -> Iterator[redis.Redis]:
    """A server of the test's own, kept as docker-compose.yml keeps it."""
    server = Redis(tmp_path, tmp_path)
    program = server.program()
    process = subprocess.Popen(program.argv, stdout=subprocess.DEVNULL)
    settings.REDIS_URL = server.url
    try:
        until(program.ready)
        with redis.Redis.from_url(server.url) as client:
            yield client
    finally:
        process.terminate()
        process.wait()


def test_a_redis_that_keeps_its_queue_is_let_pass(own_redis: redis.Redis) -> None:
    assert checks.check_redis() == []
    own_redis.config_set("appendonly", "no")
    own_redis.config_set("save", "60 1000")
    assert checks.check_redis() == []


def test_a_redis_that_keeps_nothing_is_named(own_redis: redis.Redis) -> None:
    own_redis.config_set("appendonly", "no")
    found = checks.check_redis()
    assert ids(found) == {"vrp.W202"}
    assert "keeps nothing" in one(found, "vrp.W202").msg


def test_a_redis_that_throws_keys_away_is_named(own_redis: redis.Redis) -> None:
    own_redis.config_set("maxmemory-policy", "allkeys-lru")
    found = checks.check_redis()
    assert ids(found) == {"vrp.W203"}
    assert "allkeys-lru" in one(found, "vrp.W203").msg


def test_a_redis_whose_settings_nobody_may_see_is_judged_by_the_rest(
    own_redis: redis.Redis, settings: Any
) -> None:
    """As hosts of Redis do it: CONFIG is not for their customers."""
    rules = ["on", ">word", "~*", "+@all", "-config"]
    own_redis.execute_command("ACL", "SETUSER", "guest", *rules)
    settings.REDIS_URL = settings.REDIS_URL.replace("unix://", "unix://guest:word@")
    assert checks.check_redis() == []
    own_redis.config_set("appendonly", "no")
    assert ids(checks.check_redis()) == {"vrp.W202"}


def test_a_redis_that_is_away_is_named(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    one(checks.check_redis(), "vrp.E201")


# -- processes -------------------------------------------------------------------------


@pytest.mark.django_db
def test_living_processes_are_let_pass() -> None:
    beat("worker")
    beat("clock", oldest_due_seconds=0)
    assert checks.check_processes() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "expected"), [("clock", "vrp.E301"), ("worker", "vrp.E302")]
)
def test_a_process_that_is_silent_or_was_never_there_is_named(
    name: str, expected: str
) -> None:
    for process in ("worker", "clock"):
        beat(process)
    Heartbeat.objects.filter(name=name).update(at=timezone.now() - timedelta(minutes=9))
    found = checks.check_processes()
    assert ids(found) == {expected}
    assert "silent for" in one(found, expected).msg
    Heartbeat.objects.filter(name=name).delete()
    assert "not started" in one(checks.check_processes(), expected).msg


# -- all of them -----------------------------------------------------------------------


def test_none_asks_a_server_without_deploy() -> None:
    """No database is allowed here: asking it would fail this test."""
    ours = {
        check
        for check in registry.registry.deployment_checks
        if check.__module__ == checks.__name__
    }
    assert len(ours) == 4
    assert not ours & set(registry.registry.registered_checks)
    assert not any(str(found.id).startswith("vrp.") for found in run_checks())


def test_every_check_is_in_the_reference() -> None:
    source = Path(str(checks.__file__)).read_text()
    written = re.findall(r"(error|warning)\(\s*(\d+),", source)
    known = {f"vrp.{kind[0].upper()}{int(number):03}" for kind, number in written}
    known |= {f"vrp.E{number}" for number, *_ in checks.PROCESSES.values()}
    section = (ROOT / "docs" / "reference.md").read_text()
    assert known == set(re.findall(r"^\| `(vrp\.[EW]\d{3})`", section, flags=re.M))
    assert len(known) == 20
