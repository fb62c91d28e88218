"""Sending webhooks: signed as Standard Webhooks says, tried again, at least once.

A delivery keeps its ``webhook-id`` through all attempts and replays, so that a receiver
can drop what it has seen. After eight attempts in about 35 hours it is given up; the
buyer sees it in the list of deliveries and can replay it.
"""

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import requests
import structlog
from django.utils import timezone
from urllib3.exceptions import HTTPError

from orders.enums import WebhookState
from orders.models import Order, WebhookDelivery
from orders.outgoing import Refused, post
from orders.services.webhooks import (
    EVENTS,
    OUTBOX,
    disable_endpoint,
    queue_deliveries,
)
from vrp.events import outbox
from vrp.events.models import Event
from vrp.events.services import Actor, on
from vrp.haste import hasten
from vrp.secrets import open_text

log = structlog.get_logger(__name__)

# Wait after each failed attempt.
BACKOFF = (
    hasten(timedelta(seconds=5)),
    hasten(timedelta(minutes=1)),
    hasten(timedelta(minutes=5)),
    hasten(timedelta(minutes=30)),
    hasten(timedelta(hours=2)),
    hasten(timedelta(hours=8)),
    hasten(timedelta(hours=24)),
)
# Waits the sweep, which comes by once a minute, would stretch too much.
SHORT = timedelta(minutes=5)


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """``v1,`` and the base64 HMAC-SHA256 of ``id.timestamp.body``.

    ``secret`` is ``whsec_`` and the key in base64; ``timestamp`` is Unix seconds.
    Source: the Standard Webhooks specification.
    """
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def body_of(row: WebhookDelivery) -> bytes:
    """The bytes that are signed and sent: the same in every attempt."""
    return json.dumps(row.payload, sort_keys=True, separators=(",", ":")).encode()


def deliver(row: WebhookDelivery) -> None:
    """Try once, then note success, the next attempt, or that it is given up."""
    endpoint = row.endpoint
    if endpoint.disabled_at:
        _settle(row, state=WebhookState.FAILED, last_error="The endpoint is disabled.")
        return
    body, stamp, webhook_id = body_of(row), int(time.time()), str(row.public_id)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "vrp-webhooks/1",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": sign(open_text(endpoint.secret), webhook_id, stamp, body),
    }
    try:
        status = post(endpoint.url, body=body, headers=headers)
    except Refused as error:
        _try_later(row, str(error))
    except (requests.RequestException, HTTPError, ValueError, OSError) as error:
        # The class names what went wrong; the text may name inner addresses.
        _try_later(row, f"No answer: {type(error).__name__}.")
    else:
        _judge(row, status)


def _judge(row: WebhookDelivery, status: int) -> None:
    if 200 <= status < 300:
        _settle(
            row,
            state=WebhookState.DELIVERED,
            delivered_at=timezone.now(),
            response_status=status,
            last_error="",
        )
    elif status == 410:
        why = "The receiver answered 410 Gone."
        _settle(row, state=WebhookState.FAILED, response_status=status, last_error=why)
        disable_endpoint(
            endpoint=row.endpoint, actor=Actor.system("webhook"), reason=why
        )
    elif 300 <= status < 400:
        _try_later(row, f"HTTP {status}: redirects are not followed.", status)
    else:
        _try_later(row, f"HTTP {status}.", status)


def _try_later(row: WebhookDelivery, why: str, status: int | None = None) -> None:
    """Queue the next attempt, or give up after the last."""
    if row.attempts > len(BACKOFF):
        _settle(row, state=WebhookState.FAILED, response_status=status, last_error=why)
        return
    wait = BACKOFF[row.attempts - 1]
    kept = _settle(
        row,
        state=WebhookState.QUEUED,
        due_at=timezone.now() + wait,
        response_status=status,
        last_error=why,
    )
    if kept and wait <= SHORT:
        outbox.hand_over(OUTBOX, row.tenant_id, row.pk, after=wait)


def _settle(row: WebhookDelivery, **result: Any) -> bool:
    """Write what came of an attempt, unless the row was taken from this worker."""
    kept = WebhookDelivery.objects.filter(
        pk=row.pk, state=WebhookState.SENDING, leased_until=row.leased_until
    ).update(leased_until=None, **result)
    log.info("webhook.attempt", row=row.pk, attempts=row.attempts, kept=kept)
    return bool(kept)


def on_lost(row: WebhookDelivery) -> None:
    """The worker died in the middle: send again. Receivers know the id already."""
    row.leased_until = None
    row.last_error = "The attempt was cut off."
    if row.attempts > len(BACKOFF):
        row.state = WebhookState.FAILED
    else:
        row.state, row.due_at = WebhookState.QUEUED, timezone.now()
        outbox.enqueue(OUTBOX, row)
    row.save(update_fields=["state", "due_at", "leased_until", "last_error"])


@on(*EVENTS)
def tell_endpoints(event: Event, order: Order) -> None:
    """Queue the webhooks of an order's change, in the same transaction."""
    queue_deliveries(event=event, order=order)


outbox.register(
    outbox.Outbox(
        name=OUTBOX,
        model=WebhookDelivery,
        ready=(WebhookState.QUEUED,),
        claimed=WebhookState.SENDING,
        deliver=deliver,
        on_lost=on_lost,
        # Longer than ``orders.outgoing.TIMEOUT``, so that nobody sends side by side.
        lease=hasten(timedelta(seconds=60), at_least=timedelta(seconds=15)),
        priority=6,
    )
)
