"""The clock: what happens by itself, and how often.

django-q2 keeps the schedules in PostgreSQL, where ops can see and change them. A room
declares a beat in its ``clock.py`` with ``@every(minutes=...)``; ``migrate`` writes it.
A beat must be safe to run twice at once and to be missed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.db.models import F
from django.utils import timezone

from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Beat:
    """One recurring job: dotted path of the function and minutes between runs."""

    name: str
    function: str
    minutes: int


_beats: dict[str, Beat] = {}


def every(*, minutes: int) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Declare a function without arguments as a beat of the clock."""

    def declare(function: Callable[[], Any]) -> Callable[[], Any]:
        path = f"{function.__module__}.{function.__name__}"
        _beats[path] = Beat(function.__name__.replace("_", " "), path, minutes)
        return function

    return declare


def beats() -> list[Beat]:
    """All declared beats, by path."""
    return [_beats[path] for path in sorted(_beats)]


def install() -> None:
    """Write missing schedules; leave those that ops changed as they are."""
    from django_q.models import Schedule

    for beat in beats():
        Schedule.objects.get_or_create(
            name=beat.name,
            defaults={
                "func": beat.function,
                "schedule_type": Schedule.MINUTES,
                "minutes": beat.minutes,
                "repeats": -1,
                "next_run": timezone.now(),
            },
        )


def for_each_tenant(work: Callable[[Tenant], Any]) -> dict[str, Any]:
    """Run ``work`` in the scope of each active tenant; one failing never stops the rest.

    Returns what each returned, by slug, for the clock's result page.
    """
    results: dict[str, Any] = {}
    for tenant in Tenant.objects.filter(is_active=True).order_by("slug"):
        with tenant_scope(tenant):
            try:
                results[tenant.slug] = work(tenant)
            except Exception as error:
                log.exception("clock.failed", beat=work.__name__)
                results[tenant.slug] = f"failed: {type(error).__name__}"
    return results


def run_fast(pause: float = 1.0) -> None:
    """Let the schedules' time run ``settings.HASTE`` times as fast, for ever.

    django-q knows whole minutes and looks every 30 s, so the schedules are moved towards
    now instead. ``pause`` is the seconds between two looks.
    """
    from django.db import connections
    from django_q.models import Schedule
    from django_q.scheduler import scheduler

    ahead = timedelta(seconds=pause * (settings.HASTE - 1))
    while True:
        time.sleep(pause)
        try:
            Schedule.objects.update(next_run=F("next_run") - ahead)
            scheduler()
        except DatabaseError as error:
            log.warning("clock.database_away", error=type(error).__name__)
        finally:
            connections.close_all()
