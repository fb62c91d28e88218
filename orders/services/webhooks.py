"""Webhooks to buyers: registering an address, queueing what it is told, replaying.

Sending is in ``orders.webhooks``; this module never touches the network but to look up
the name of an address that is being registered.
"""

import base64
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from orders import outgoing
from orders.enums import WebhookState
from orders.models import (
    Buyer,
    Order,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from vrp.errors import IllegalMove, Invalid
from vrp.events.models import Event
from vrp.events.outbox import enqueue
from vrp.events.services import Actor, record
from vrp.secrets import open_text, seal_text
from vrp.tenancy.models import Tenant

# What a buyer's system can be told; docs/api.md describes each.
EVENTS = (
    "order.placed",
    "order.in_production",
    "order.ready",
    "order.shipped",
    "order.cancelled",
)
MAX_ENDPOINTS = 10
OUTBOX = "webhook"
# How long a replaced secret signs beside the new one.
OVERLAP = timedelta(hours=24)
# Settled deliveries that one run of the purge deletes at most, and at a time.
PURGE, BATCH = 20_000, 500


def new_secret() -> str:
    """``whsec_`` and 32 random bytes in base64, as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def check_url(url: str) -> None:
    """Raise ``Invalid`` unless we may send to this address (``orders.outgoing``)."""
    try:
        outgoing.check_url(url)
    except outgoing.Refused as error:
        raise Invalid(str(error), field="url") from error


def register_endpoint(
    *, buyer: Buyer, url: str, events: list[str], actor: Actor
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret, which is stored encrypted and shown only now.

    Raises ``Invalid`` for an address we may not send to, or (code ``limit_reached``)
    when the buyer has 10 endpoints.
    """
    check_url(url)  # looks a name up, so before the transaction
    secret = new_secret()
    with transaction.atomic():
        Buyer.objects.select_for_update(of=("self",)).get(pk=buyer.pk)
        if WebhookEndpoint.objects.filter(buyer=buyer).count() >= MAX_ENDPOINTS:
            raise Invalid(
                f"You have {MAX_ENDPOINTS} endpoints already; delete one first.",
                code="limit_reached",
            )
        endpoint = WebhookEndpoint.objects.create(
            tenant=buyer.tenant,
            buyer=buyer,
            url=url,
            secret=seal_text(secret),
            events=sorted(set(events)),
        )
        record("webhook.registered", subject=endpoint, actor=actor)
    return endpoint, secret


@transaction.atomic
def rotate_secret(
    *, endpoint: WebhookEndpoint, actor: Actor
) -> tuple[WebhookEndpoint, str]:
    """A new secret, which is shown only now; the old one signs beside it for 24 hours."""
    endpoint = WebhookEndpoint.objects.select_for_update(of=("self",)).get(
        pk=endpoint.pk
    )
    secret = new_secret()
    endpoint.old_secret, endpoint.secret = endpoint.secret, seal_text(secret)
    endpoint.old_secret_until = timezone.now() + OVERLAP
    endpoint.save(update_fields=["old_secret", "secret", "old_secret_until"])
    record(
        "webhook.secret_rotated",
        subject=endpoint,
        actor=actor,
        data={"until": endpoint.old_secret_until.isoformat()},
    )
    return endpoint, secret


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """What signs now, the newest first."""
    found = [endpoint.secret]
    until = endpoint.old_secret_until
    if endpoint.old_secret and until and until > timezone.now():
        found.append(endpoint.old_secret)
    return [open_text(sealed) for sealed in found]


@transaction.atomic
def remove_endpoint(*, endpoint: WebhookEndpoint, actor: Actor) -> None:
    """Delete an endpoint with its deliveries; what was not sent yet is never sent."""
    # Waits for transactions that are queueing a delivery, so that none is left behind.
    locked = (
        WebhookEndpoint.objects.select_for_update(of=("self",))
        .filter(pk=endpoint.pk)
        .first()
    )
    if locked is None:
        return
    record("webhook.removed", subject=locked, actor=actor)
    locked.delete()


@transaction.atomic
def disable_endpoint(
    *, endpoint: WebhookEndpoint, actor: Actor, reason: str
) -> WebhookEndpoint:
    """Stop sending to an endpoint; its waiting deliveries are given up."""
    endpoint = WebhookEndpoint.objects.select_for_update(of=("self",)).get(
        pk=endpoint.pk
    )
    if endpoint.disabled_at:
        return endpoint
    endpoint.disabled_at = timezone.now()
    endpoint.save(update_fields=["disabled_at"])
    endpoint.deliveries.filter(state=WebhookState.QUEUED).update(
        state=WebhookState.FAILED, last_error=reason
    )
    record("webhook.disabled", subject=endpoint, actor=actor, reason=reason)
    return endpoint


def payload_of(event: Event, order: Order) -> dict[str, Any]:
    """What is sent: thin on purpose. The receiver reads the order by its id."""
    return {
        "type": event.name,
        "timestamp": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {
            "order": {
                "id": str(order.public_id),
                "po_number": order.po_number,
                "state": order.state,
                "url": f"{settings.PUBLIC_URL}/api/v1/orders/{order.public_id}",
            }
        },
    }


def queue_deliveries(*, event: Event, order: Order) -> list[WebhookDelivery]:
    """One row for each endpoint of the buyer that wants this event.

    Runs inside the transaction that changed the order.
    """
    rows = [
        WebhookDelivery.objects.create(
            tenant_id=order.tenant_id,
            endpoint_id=endpoint_id,
            event_name=event.name,
            payload=payload_of(event, order),
        )
        for endpoint_id in _listeners(order, event.name)
    ]
    for row in rows:
        enqueue(OUTBOX, row)
    return rows


def _listeners(order: Order, event_name: str) -> list[int]:
    """Ids of the endpoints, locked so that none is deleted before our rows are in.

    FOR KEY SHARE, which the ORM does not offer, lets other orders of the buyer pass.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id FROM orders_webhookendpoint
               WHERE tenant_id = %s AND buyer_id = %s AND disabled_at IS NULL
                 AND (events = '{}' OR %s = ANY (events))
               ORDER BY id FOR KEY SHARE""",
            [order.tenant_id, order.buyer_id, event_name],
        )
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def replay_delivery(*, delivery: WebhookDelivery, actor: Actor) -> WebhookDelivery:
    """Send once more, now, under the same ``webhook-id``; waiting rows become due.

    A delivery that is being sent at this moment is left alone. Raises ``IllegalMove``
    when the endpoint is disabled.
    """
    row = (
        WebhookDelivery.objects.select_for_update(of=("self",))
        .select_related("endpoint")
        .get(pk=delivery.pk)
    )
    if row.endpoint.disabled_at:
        raise IllegalMove("The endpoint is disabled; register it again.")
    if row.state == WebhookState.SENDING:
        return row
    row.state, row.due_at, row.attempts = WebhookState.QUEUED, timezone.now(), 0
    row.delivered_at, row.response_status, row.last_error = None, None, ""
    row.save()
    record("webhook.replayed", subject=row, actor=actor)
    enqueue(OUTBOX, row)
    return row


def purge_deliveries(tenant: Tenant) -> int:
    """Delete settled deliveries older than ``VRP_WEBHOOK_KEEP_DAYS``, with the log of
    their attempts, and secrets whose time beside a new one is over. How many deliveries
    it were; what is still to be sent stays, however old."""
    now = timezone.now()
    WebhookEndpoint.objects.filter(old_secret_until__lte=now).exclude(
        old_secret=""
    ).update(old_secret="", old_secret_until=None)
    before = now - timedelta(days=settings.WEBHOOK_KEEP_DAYS)
    gone = 0
    while gone < PURGE:
        count = _purge_batch(tenant, before)
        gone += count
        if count < BATCH:
            break
    return gone


@transaction.atomic
def _purge_batch(tenant: Tenant, before: datetime) -> int:
    """One that is being sent again at this moment is passed over."""
    rows = WebhookDelivery.objects.filter(
        tenant=tenant,
        created_at__lt=before,
        state__in=(WebhookState.DELIVERED, WebhookState.FAILED),
    ).order_by("created_at")
    ids = list(
        rows.select_for_update(of=("self",), skip_locked=True).values_list(
            "pk", flat=True
        )[:BATCH]
    )
    WebhookAttempt.objects.filter(delivery__in=ids).delete()
    return WebhookDelivery.objects.filter(pk__in=ids).delete()[0]
