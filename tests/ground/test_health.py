"""Alive, ready, measured: what monitoring sees."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from vrp.ops.beats import beat, sweep_outboxes
from vrp.ops.clock import beats, install
from vrp.ops.models import Heartbeat
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def alive(db: None) -> None:
    beat("worker")
    beat("clock", oldest_due_seconds=0)


def test_the_process_answers_without_a_database(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_ready_when_every_part_works(client: Client, alive: None) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert set(answer.json()["parts"].values()) == {"ok"}


def test_a_silent_worker_is_named(client: Client, alive: None) -> None:
    Heartbeat.objects.filter(name="worker").update(
        at=timezone.now() - timedelta(minutes=5)
    )
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["worker"].startswith("silent for")


def test_work_that_waits_too_long_is_not_ready(client: Client, alive: None) -> None:
    beat("clock", oldest_due_seconds=900)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "900 s" in answer.json()["parts"]["outbox"]


def test_redis_away_is_named(client: Client, alive: None, settings) -> None:  # type: ignore[no-untyped-def]
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["redis"].startswith("does not answer")


def test_the_supervisors_word_counts(
    client: Client,
    alive: None,
    settings,  # type: ignore[no-untyped-def]
    tmp_path: Path,
) -> None:
    file = tmp_path / "processes.json"
    settings.PROCESS_STATE_FILE = str(file)
    file.write_text(json.dumps({"worker": {"state": "restarting", "pid": 1}}))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["worker"] == "is restarting"


def test_metrics_are_measured_per_tenant(
    client: Client, tenant: Tenant, alive: None
) -> None:
    text = client.get("/metrics").content.decode()
    assert 'vrp_part_up{part="database"} 1.0' in text
    assert 'vrp_outbox_oldest_due_seconds{tenant="soko"} 0.0' in text


def test_the_sweep_is_the_clocks_sign_of_life(tenant: Tenant) -> None:
    sweep_outboxes()
    assert Heartbeat.objects.get(name="clock").detail["oldest_due_seconds"] == 0


def test_workers_that_are_long_gone_are_forgotten(tenant: Tenant) -> None:
    for name in ("worker", "celery@new", "celery@gone"):
        beat(name)
    days = timezone.now() - timedelta(days=2)
    Heartbeat.objects.exclude(name="celery@new").update(at=days)
    sweep_outboxes()
    names = set(Heartbeat.objects.values_list("name", flat=True))
    assert names == {"worker", "celery@new", "clock"}


def test_every_beat_has_its_schedule_and_ops_changes_stay(db: None) -> None:
    from django_q.models import Schedule

    install()
    names = set(Schedule.objects.values_list("name", flat=True))
    assert {one.name for one in beats()} <= names
    Schedule.objects.filter(name="seal events").update(minutes=30)
    install()
    assert Schedule.objects.get(name="seal events").minutes == 30


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/docs/", "/nowhere"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "FOO"])
def test_a_refusal_has_the_one_shape(method: str, path: str, db: None) -> None:
    answer = Client(enforce_csrf_checks=True).generic(method, path)
    if answer.status_code == 200:
        assert method == "OPTIONS" or path == "/healthz"
        return
    assert answer.status_code in (403, 404, 405, 503)
    if answer.status_code != 503:
        assert set(answer.json()) == {"error"}


def test_every_answer_carries_its_request_id_and_policy(client: Client) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": "abc-123"})
    assert answer["X-Request-Id"] == "abc-123"
    answer = client.get("/healthz", headers={"X-Request-Id": "bad\tid;"})
    assert answer["X-Request-Id"] != "bad\tid;"
    assert "unsafe" not in answer["Content-Security-Policy"]
