"""``Idempotency-Key``: the same request sent twice is done once and answered twice.

The row is committed before anything is done, so that a twin that arrives meanwhile meets
it. The answer is stored in the same transaction as what was done: after a crash there is
either both or neither.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from orders.models import ApiKey, IdempotencyRecord
from vrp.errors import Conflict, Invalid
from vrp.haste import hasten
from vrp.tenancy.models import Tenant

# A row without an answer is a request that runs, or one whose process died.
STALE = hasten(timedelta(minutes=1), at_least=timedelta(seconds=5))
KEEP = timedelta(hours=24)


class InProgress(Conflict):
    """A twin with the same key and body is running."""

    code = "idempotency_in_progress"
    retry_after = 2


@dataclass(frozen=True)
class Claim:
    """The right to do the request: held by whoever wrote ``claimed_at`` last."""

    pk: int
    claimed_at: datetime


@dataclass(frozen=True)
class Stored:
    """The answer given the first time. ``text`` is the body as it was sent."""

    status: int
    text: str


def claim_key(*, api_key: ApiKey, key: str, fingerprint: str) -> Claim | Stored:
    """Take the key for this request, or return the answer that it already has.

    Raises ``Invalid`` (code ``idempotency_mismatch``) for another body under the same
    key and ``InProgress`` while the first request runs. Call outside a transaction.
    """
    now = timezone.now()
    # The key that replaces another one meets what was sent with it.
    line = api_key.line_id
    pk = _insert(api_key.tenant_id, line, key, fingerprint, now)
    if pk is not None:
        return Claim(pk, now)
    row = IdempotencyRecord.objects.filter(api_key_id=line, key=key).first()
    if row is None:
        raise InProgress("The first request with this Idempotency-Key just gave up.")
    if row.fingerprint != fingerprint:
        raise Invalid(
            "This Idempotency-Key was used with another request. Use a new key.",
            code="idempotency_mismatch",
            field="Idempotency-Key",
        )
    if row.status is not None:
        return Stored(row.status, str(row.body))
    if row.created_at > now - STALE:
        raise InProgress("The first request with this Idempotency-Key still runs.")
    return _retake(row, now)


def _insert(
    tenant_id: int, line: int, key: str, fingerprint: str, now: datetime
) -> int | None:
    """The new row's id, or None where the key is taken: one statement, for nearly every
    key is new."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO orders_idempotencyrecord
                   (tenant_id, api_key_id, key, fingerprint, created_at)
               VALUES (%s, %s, %s, %s, %s)
               ON CONFLICT (tenant_id, api_key_id, key) DO NOTHING RETURNING id""",
            [tenant_id, line, key, fingerprint, now],
        )
        made = cursor.fetchone()
    return made[0] if made else None


def _retake(row: IdempotencyRecord, now: datetime) -> Claim:
    """Take over from a request whose process died; only one taker wins."""
    taken = IdempotencyRecord.objects.filter(
        pk=row.pk, status__isnull=True, created_at=row.created_at
    ).update(created_at=now)
    if not taken:
        raise InProgress("The first request with this Idempotency-Key still runs.")
    return Claim(row.pk, now)


def store_answer(*, claim: Claim, status: int, text: str) -> None:
    """Keep the answer for replay. Call inside the transaction that it tells of.

    Raises ``InProgress`` (and so rolls that transaction back) when the claim was retaken
    meanwhile: the taker does the work.
    """
    kept = IdempotencyRecord.objects.filter(
        pk=claim.pk, status__isnull=True, created_at=claim.claimed_at
    ).update(status=status, body=text)
    if not kept:
        raise InProgress("Another request took this Idempotency-Key over.")


def release_key(*, claim: Claim) -> None:
    """Forget a request that came to nothing, so that it can be sent again."""
    IdempotencyRecord.objects.filter(
        pk=claim.pk, status__isnull=True, created_at=claim.claimed_at
    ).delete()


def purge_old(tenant: Tenant) -> int:
    """Delete the tenant's rows older than 24 hours; how many they were."""
    old = IdempotencyRecord.objects.filter(
        tenant=tenant, created_at__lt=timezone.now() - KEEP
    )
    return old.delete()[0]
