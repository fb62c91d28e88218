"""What a phone sent us: stored first, understood later (``phone.replies``)."""

import hashlib

from django.db import transaction

from artisans.models import Workshop
from artisans.numbers import normalise_phone
from phone import gsm
from phone.enums import Direction, MessageState
from phone.models import Message
from phone.services.inserts import insert_once
from vrp.errors import Invalid
from vrp.events.outbox import enqueue
from vrp.events.services import Actor, record
from vrp.tenancy.models import Tenant


def known_phone(raw: str, tenant: Tenant) -> str:
    """The number as E.164, or what was given (16 characters of it) if it is none."""
    try:
        return normalise_phone(raw, tenant.country)
    except Invalid:
        return raw.strip()[:16]


@transaction.atomic
def take_inbound(
    *,
    tenant: Tenant,
    provider_id: str,
    sender: str,
    text: str,
    date: str = "",
    network_code: str = "",
) -> Message:
    """Store one incoming SMS; the same ``provider_id`` again returns the first row.

    A sender we know makes it RECEIVED and hands it over to be read; one we do not,
    UNMATCHED: kept for people, never answered.
    """
    phone = known_phone(sender, tenant)
    # Without an id of the carrier's, the same words at the same time are the same SMS.
    digest = hashlib.sha256(f"{sender}|{date}|{text}".encode()).hexdigest()
    identity = provider_id[:80] or f"sha:{digest[:60]}"
    stored = Message.objects.filter(direction=Direction.IN, provider_id=identity)
    known = stored.first()
    if known:
        return known
    workshop = Workshop.objects.filter(phone=phone).first()
    message = Message(
        tenant=tenant,
        direction=Direction.IN,
        workshop=workshop,
        phone=phone,
        language=workshop.language if workshop else "",
        text=text,
        parts=gsm.parts(text),
        state=MessageState.RECEIVED if workshop else MessageState.UNMATCHED,
        provider_id=identity,
        network_code=network_code[:10],
    )
    if not insert_once(message):
        return stored.get()
    record("message.received", subject=message, actor=Actor.carrier("africastalking"))
    if workshop:
        enqueue("inbound", message)
    return message


@transaction.atomic
def finish_reading(*, message: Message) -> None:
    """The message was understood and acted upon."""
    Message.objects.filter(pk=message.pk, state=MessageState.READING).update(
        state=MessageState.HANDLED, leased_until=None
    )


def requeue_reading(message: Message) -> None:
    """The worker died while reading (row locked). Reading is one transaction, so nothing
    happened: read again, but not for ever."""
    if message.attempts < 5:
        message.state = MessageState.RECEIVED
    else:
        message.state, message.failure = MessageState.FAILED, "CouldNotRead"
        actor = Actor.system("outbox")
        record("message.failed", subject=message, actor=actor)
    message.leased_until = None
    message.save()
