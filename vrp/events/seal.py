"""The hash chain: each sealed event's hash covers the one before it.

Sealing runs behind the work (the clock calls it), so the hot path takes no lock. Lines
get their chain number in the order of sealing; a gap, a changed byte, a swapped or a
missing line breaks the chain at a line that ``verify`` names.
"""

import hashlib
import json
from collections.abc import Iterator

from django.db import connection, transaction

from vrp.events.models import Event
from vrp.tenancy.models import Tenant

GENESIS = "0" * 64
BATCH = 2_000


def line_hash(previous: str, event: Event) -> str:
    """SHA-256 over the previous hash and the event's canonical JSON."""
    line = {
        "tenant": event.tenant_id,
        "number": event.number,
        "id": event.pk,
        "name": event.name,
        "subject": [event.subject_type, event.subject_id],
        "actor": [event.actor_kind, event.actor_id, event.actor_label],
        "reason": event.reason,
        "data": event.data,
        "at": event.at.isoformat(),
    }
    text = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((previous + text).encode()).hexdigest()


def seal(tenant: Tenant, limit: int = BATCH) -> int:
    """Seal up to ``limit`` of the tenant's open events; returns how many.

    One sealer per tenant at a time (advisory lock); a second one finds nothing to do.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtext('vrp.seal'), %s)", [tenant.pk]
        )
        if not cursor.fetchone()[0]:
            return 0
        last = Event.objects.filter(number__isnull=False).order_by("-number").first()
        number, previous = (last.number or 0, last.hash) if last else (0, GENESIS)
        batch = list(Event.objects.filter(number__isnull=True).order_by("id")[:limit])
        for event in batch:
            number += 1
            event.number = number
            event.hash = previous = line_hash(previous, event)
        Event.objects.bulk_update(batch, ["number", "hash"], batch_size=500)
        return len(batch)


def verify(tenant: Tenant) -> tuple[int, str]:
    """Walk the chain: (sealed lines that hold, first broken line or "")."""
    previous, expected = GENESIS, 1
    for event in _chain():
        if event.number != expected:
            return expected - 1, f"line {expected} is missing"
        if event.hash != line_hash(previous, event):
            return expected - 1, f"line {expected} (event {event.pk}) was changed"
        previous, expected = event.hash, expected + 1
    return expected - 1, ""


def _chain() -> Iterator[Event]:
    """Sealed events in chain order, read in pages so that memory stays small."""
    after = 0
    while True:
        page = list(Event.objects.filter(number__gt=after).order_by("number")[:BATCH])
        if not page:
            return
        yield from page
        after = page[-1].number or 0
