"""Celery does the work. Its messages carry row ids only; PostgreSQL holds the truth."""

import os
import time
from typing import Any

from celery import Celery
from celery.signals import heartbeat_sent, setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vrp.settings")

app = Celery("vrp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["vrp.events"])
_last_beat = -60.0


@setup_logging.connect
def keep_our_logging(**kwargs: object) -> None:
    """Stop Celery from replacing the structured logging set up by the settings."""


@heartbeat_sent.connect
def show_life(sender: Any = None, **kwargs: object) -> None:
    """The worker's own heartbeat, thinned to one update every ten seconds.

    Told twice: that there is a worker, and that this one of many lives.
    """
    global _last_beat
    if time.monotonic() - _last_beat < 10:
        return
    from django.db import DatabaseError, close_old_connections

    from vrp.ops.beats import beat

    close_old_connections()
    try:
        beat("worker")
        beat(sender.eventer.hostname)
        _last_beat = time.monotonic()
    except DatabaseError:
        # The database is away: being silent is the truth then.
        close_old_connections()
