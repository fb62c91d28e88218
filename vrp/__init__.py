"""Floor 0: settings, tenancy, accounts, events, console and API groundwork."""

from vrp.celery import app as celery_app

__all__ = ["celery_app"]
