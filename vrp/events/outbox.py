"""The outbox: whatever must leave the system is a row first.

A row is written in the transaction that causes it, with ``due_at``. On commit Celery gets
its id; the worker claims the row by a compare-and-set UPDATE and only then acts. When
Redis or a worker is lost, the clock's sweep finds the row again:

* ready and due for a while -> handed to Celery once more (harmless if it already was);
* claimed, but the lease ran out -> the worker died between claim and result, and the
  outbox's own ``on_lost`` decides: send again (webhook), or *unknown* (SMS, money).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, F
from django.utils import timezone

from vrp.events.models import SendingPause
from vrp.haste import hasten
from vrp.tenancy.models import Tenant, TenantModel

log = structlog.get_logger(__name__)
# How long a due row may wait before the sweep suspects that its task was lost.
GRACE = hasten(timedelta(seconds=20))
# A broker that hangs costs its time-out at every try, and one request may hand over
# hundreds of rows: after a slow failure nothing is tried for so long.
REST_SECONDS = 5.0
_rests_until = 0.0
# How long a worker may hold a row: longer than the one call to the outside.
LEASE = hasten(
    timedelta(seconds=60), at_least=timedelta(seconds=2 * sum(settings.CARRIER_TIMEOUT))
)


class Outgoing(TenantModel):
    """Columns that every outbox row has. ``state`` is the model's own."""

    state = models.CharField(max_length=20)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        abstract = True


@dataclass(frozen=True)
class Outbox:
    """One kind of outgoing row.

    ready: states from which a row may be claimed once due; claimed: the state while a
    worker holds it; deliver(row): does the work and moves the row on, in its own
    transactions; on_lost(row): called with the row locked when the lease ran out.
    leaves: whether it goes out of the house, and so is held after a restore;
    on_restored(row): called with the row locked when a backup is restored in which the
    row was ready or claimed, because since then it may have been sent.
    """

    name: str
    model: type[Outgoing]
    ready: tuple[str, ...]
    claimed: str
    deliver: Callable[[Any], None]
    on_lost: Callable[[Any], None]
    lease: timedelta = LEASE
    # Celery priority: 0 first, 9 last (with Redis, lower leaves earlier).
    priority: int = 5
    leaves: bool = True
    on_restored: Callable[[Any], None] | None = None


_outboxes: dict[str, Outbox] = {}


def register(outbox: Outbox) -> Outbox:
    """Make an outbox known to tasks and sweep. Called when its app is ready."""
    _outboxes[outbox.name] = outbox
    return outbox


def outboxes() -> list[Outbox]:
    """All of them, by name."""
    return [_outboxes[name] for name in sorted(_outboxes)]


def paused_names() -> set[str]:
    """Outboxes that a restore has paused and nobody has released yet."""
    return set(SendingPause.active().values_list("outbox", flat=True))


def enqueue(name: str, row: Outgoing) -> None:
    """Hand the row to Celery when the transaction commits. Losing this call is safe."""
    tenant_id, row_id = row.tenant_id, row.pk
    transaction.on_commit(lambda: hand_over(name, tenant_id, row_id))


def hand_over(
    name: str, tenant_id: int, row_id: int, *, after: timedelta = timedelta(0)
) -> None:
    """Publish the id. With Redis away this only logs: the sweep will come by.

    ``after`` holds the task back, for waits that the sweep would stretch too much.
    """
    global _rests_until
    from vrp.events.tasks import work

    began = time.monotonic()
    if began < _rests_until:
        log.info("outbox.broker_rests", outbox=name, row=row_id)
        return
    try:
        work.apply_async(
            (name, tenant_id, row_id),
            priority=_outboxes[name].priority,
            countdown=after.total_seconds() or None,
            retry=False,
        )
    except Exception as error:
        log.warning("outbox.broker_away", outbox=name, row=row_id, error=str(error))
        if time.monotonic() - began > 0.3:
            _rests_until = time.monotonic() + REST_SECONDS


def claim(outbox: Outbox, row_id: int) -> Any | None:
    """Take the row for this worker, or None if it is not (or no longer) there to take."""
    now = timezone.now()
    rows = outbox.model.objects.filter(
        pk=row_id, state__in=outbox.ready, due_at__lte=now
    )
    if outbox.leaves:
        # Within the UPDATE: no worker that asked a moment ago sends all the same.
        rows = rows.exclude(Exists(SendingPause.active().filter(outbox=outbox.name)))
    taken = rows.update(
        state=outbox.claimed,
        attempts=F("attempts") + 1,
        leased_until=now + outbox.lease,
    )
    return outbox.model.objects.get(pk=row_id) if taken else None


def run(name: str, row_id: int) -> bool:
    """Claim and deliver one row inside the active tenant scope; whether it was taken."""
    outbox = _outboxes[name]
    row = claim(outbox, row_id)
    if row is None:
        return False
    outbox.deliver(row)
    return True


def sweep(tenant: Tenant, limit: int = 500) -> dict[str, int]:
    """Find what fell through for one tenant (its scope must be active).

    Returns how many rows were handed over again and how many leases had run out.
    """
    now = timezone.now()
    counts = {"again": 0, "lost": 0}
    paused = paused_names()
    for outbox in outboxes():
        rows = outbox.model.objects
        waiting = rows.filter(state__in=outbox.ready, due_at__lte=now - GRACE)
        if outbox.name in paused:
            waiting = waiting.none()
        for row_id in waiting.order_by("due_at").values_list("pk", flat=True)[:limit]:
            hand_over(outbox.name, tenant.pk, row_id)
            counts["again"] += 1
        lost = rows.filter(state=outbox.claimed, leased_until__lt=now)
        for row_id in list(lost.values_list("pk", flat=True)[:limit]):
            counts["lost"] += _recover(outbox, row_id)
    return counts


def _recover(outbox: Outbox, row_id: int) -> int:
    """Give one abandoned row to ``on_lost``; a bad row never stops the sweep."""
    try:
        with transaction.atomic():
            row = (
                outbox.model.objects.select_for_update(skip_locked=True, of=("self",))
                .filter(
                    pk=row_id, state=outbox.claimed, leased_until__lt=timezone.now()
                )
                .first()
            )
            if row is None:
                return 0
            outbox.on_lost(row)
            return 1
    except Exception:
        log.exception("outbox.recover_failed", outbox=outbox.name, row=row_id)
        return 0


def oldest_due(tenant: Tenant) -> timedelta:
    """Age of the oldest ready row past its due time; zero when nothing waits.

    What a person holds back is not late.
    """
    now = timezone.now()
    ages = [timedelta(0)]
    paused = paused_names()
    for outbox in outboxes():
        if outbox.name in paused:
            continue
        first = (
            outbox.model.objects.filter(state__in=outbox.ready, due_at__lte=now)
            .order_by("due_at")
            .values_list("due_at", flat=True)
            .first()
        )
        if first:
            ages.append(now - first)
    return max(ages)
