"""What ``/readyz`` and ``/metrics`` know, gathered in one place."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from vrp.ops.models import Heartbeat

# A worker beats every ten seconds, the clock every minute.
STALE = {"worker": timedelta(seconds=45), "clock": timedelta(seconds=150)}
# Work that waits longer than this means that nobody is doing it.
OLDEST_DUE_LIMIT = 300


@dataclass
class Report:
    """The state of each part: ``ok`` or a sentence that says what is wrong."""

    parts: dict[str, str] = field(default_factory=dict)
    oldest_due_seconds: int = 0

    @property
    def ready(self) -> bool:
        """Whether every part is as it should be."""
        return all(value == "ok" for value in self.parts.values())


def readiness() -> Report:
    """Ask the database, Redis, the heartbeats and (if embedded) the supervisor."""
    report = Report()
    report.parts["database"] = _database()
    report.parts["redis"] = _redis()
    if report.parts["database"] == "ok":
        _heartbeats(report)
    _processes(report)
    return report


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"does not answer: {type(error).__name__}"
    return "ok"


def _redis() -> str:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2
    )
    try:
        client.ping()
    except redis.RedisError as error:
        return f"does not answer: {type(error).__name__}"
    finally:
        client.close()
    return "ok"


def _heartbeats(report: Report) -> None:
    now = timezone.now()
    rows = {row.name: row for row in Heartbeat.objects.filter(name__in=STALE)}
    for name, limit in STALE.items():
        row = rows.get(name)
        if row is None:
            report.parts[name] = "has not started yet"
        elif now - row.at > limit:
            report.parts[name] = f"silent for {round((now - row.at).total_seconds())} s"
        else:
            report.parts[name] = "ok"
    clock = rows.get("clock")
    if clock:
        report.oldest_due_seconds = int(clock.detail.get("oldest_due_seconds", 0))
        late = report.oldest_due_seconds > OLDEST_DUE_LIMIT
        report.parts["outbox"] = (
            f"oldest due row waits {report.oldest_due_seconds} s" if late else "ok"
        )


def _processes(report: Report) -> None:
    """What the supervisor of ``bin/up`` says of its children, if there is one."""
    if not settings.PROCESS_STATE_FILE:
        return
    try:
        state: dict[str, Any] = json.loads(
            Path(settings.PROCESS_STATE_FILE).read_text()
        )
    except (OSError, ValueError):
        return
    for name, child in state.items():
        if child.get("state") != "running":
            report.parts[name] = f"is {child.get('state')}"
