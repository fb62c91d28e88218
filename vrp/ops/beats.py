"""The ground's own beats: sweep the outboxes, seal the events, show a sign of life."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from vrp.events import outbox
from vrp.events.models import SendingPause
from vrp.events.seal import seal
from vrp.ops.clock import every, for_each_tenant
from vrp.ops.metrics import gauge
from vrp.ops.models import Heartbeat
from vrp.secrets import is_tenants, reseal, sealed_columns
from vrp.tenancy.models import Tenant

# Single workers (``celery@host``) come and go; this long after the last sign of life
# nobody asks for one any more.
FORGOTTEN_AFTER = timedelta(days=1)


def beat(name: str, **detail: Any) -> None:
    """Note that the named process is alive now."""
    Heartbeat.objects.update_or_create(
        name=name[:60], defaults={"at": timezone.now(), "detail": detail}
    )


def forget_workers() -> int:
    """Drop the signs of life of workers that are long gone; returns how many."""
    limit = timezone.now() - FORGOTTEN_AFTER
    return Heartbeat.objects.filter(name__contains="@", at__lt=limit).delete()[0]


@every(minutes=1)
def sweep_outboxes() -> dict[str, Any]:
    """Hand over again what Redis or a dead worker lost."""
    oldest = 0.0

    def one(tenant: Tenant) -> dict[str, int]:
        nonlocal oldest
        oldest = max(oldest, outbox.oldest_due(tenant).total_seconds())
        return outbox.sweep(tenant)

    result = for_each_tenant(one)
    forget_workers()
    beat("clock", oldest_due_seconds=round(oldest), sweep=result)
    return result


@every(minutes=5)
def seal_events() -> dict[str, Any]:
    """Chain the newest events of every tenant."""
    return for_each_tenant(seal)


@every(minutes=60)
def seal_clear_secrets() -> dict[str, Any]:
    """Encrypt what an older version wrote in clear (callback addresses). It waits for the
    clock instead of a migration, since web processes of that version may still read."""

    def one(tenant: Tenant) -> int:
        return sum(
            reseal(model, name, only_clear=True).done
            for model, name in sealed_columns()
            if is_tenants(model)
        )

    return for_each_tenant(one)


@gauge("vrp_sending_paused", "Outboxes that a restore paused and nobody released")
def sending_paused() -> float:
    return float(SendingPause.active().count())
