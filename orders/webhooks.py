"""Sending webhooks: signed as Standard Webhooks says, tried again, at least once.

A delivery keeps its ``webhook-id`` through all attempts and replays, so that a receiver
can drop what it has seen. After eight attempts in about 35 hours it is given up; the
buyer sees it in the list of deliveries and can replay it.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from datetime import timedelta
from http.client import HTTPException
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from orders.enums import WebhookState
from orders.models import Order, WebhookAttempt, WebhookDelivery
from orders.outgoing import Refused, post
from orders.services.webhooks import (
    EVENTS,
    OUTBOX,
    disable_endpoint,
    queue_deliveries,
    secrets_of,
)
from vrp.events import outbox
from vrp.events.models import Event
from vrp.events.services import Actor, on
from vrp.haste import hasten

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
NAMED_SECRET = re.compile(
    r"((?:bearer|basic|[\w-]*(?:secret|token|passw(?:or)?d|api[_-]?key|credential)[\w-]*)"
    r"[\"']?\s*[:= ]\s*[\"']?)[^\s\"',;&}]+",
    re.IGNORECASE,
)
LONG_RUN = re.compile(r"(?=[\w+/=.-]*[0-9])[\w+/=.-]{20,}")


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
        _settle(row, None, WebhookState.FAILED, "The endpoint is disabled.")
        return
    body, stamp, webhook_id = body_of(row), int(time.time()), str(row.public_id)
    signatures = [
        sign(secret, webhook_id, stamp, body) for secret in secrets_of(endpoint)
    ]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "vrp-webhooks/1",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": " ".join(signatures),
    }
    began = time.monotonic()
    status, answer, error = None, "", ""
    try:
        found = post(endpoint.url, body=body, headers=headers)
        status, answer = found.status, redacted(found.text)
    except Refused as refused:
        error = str(refused)
    except (OSError, HTTPException, ValueError) as problem:
        # The class names what went wrong; the text may name inner addresses.
        error = f"No answer: {type(problem).__name__}."
    tried = WebhookAttempt(
        tenant_id=row.tenant_id,
        delivery=row,
        number=row.attempts,
        duration_ms=round((time.monotonic() - began) * 1000),
        status=status,
        error=error,
        answer=answer,
    )
    _judge(row, tried)


def redacted(text: str) -> str:
    """The first 300 letters of an answer on one line, without what may be a secret: long
    runs with digits in them, and what follows a telling word."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = NAMED_SECRET.sub(r"\1[...]", line)
    return LONG_RUN.sub("[...]", line)[:300]


def _judge(row: WebhookDelivery, tried: WebhookAttempt) -> None:
    status = tried.status
    if status is None:
        _try_later(row, tried, tried.error)
    elif 200 <= status < 300:
        _settle(row, tried, WebhookState.DELIVERED, "", delivered_at=timezone.now())
    elif status == 410:
        why = "The receiver answered 410 Gone."
        _settle(row, tried, WebhookState.FAILED, why)
        disable_endpoint(
            endpoint=row.endpoint, actor=Actor.system("webhook"), reason=why
        )
    elif 300 <= status < 400:
        _try_later(row, tried, f"HTTP {status}: redirects are not followed.")
    else:
        _try_later(row, tried, f"HTTP {status}.")


def _try_later(row: WebhookDelivery, tried: WebhookAttempt, why: str) -> None:
    """Queue the next attempt, or give up after the last."""
    if row.attempts > len(BACKOFF):
        _settle(row, tried, WebhookState.FAILED, why)
        return
    wait = BACKOFF[row.attempts - 1]
    due_at = timezone.now() + wait
    kept = _settle(row, tried, WebhookState.QUEUED, why, due_at=due_at)
    if kept and wait <= SHORT:
        outbox.hand_over(OUTBOX, row.tenant_id, row.pk, after=wait)


@transaction.atomic
def _settle(
    row: WebhookDelivery,
    tried: WebhookAttempt | None,
    state: WebhookState,
    why: str,
    **result: Any,
) -> bool:
    """Write what came of an attempt, unless the row was taken from this worker."""
    kept = WebhookDelivery.objects.filter(
        pk=row.pk, state=WebhookState.SENDING, leased_until=row.leased_until
    ).update(
        leased_until=None,
        state=state,
        last_error=why,
        response_status=tried.status if tried else None,
        **result,
    )
    if kept and tried:
        tried.save()
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
    WebhookAttempt.objects.create(
        tenant_id=row.tenant_id,
        delivery=row,
        number=row.attempts,
        duration_ms=0,
        error=row.last_error,
    )


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
