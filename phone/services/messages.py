"""An SMS on its way out: written with its cause, sent once, followed to its end."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from artisans.models import Workshop
from phone import gsm, texts
from phone.carrier import Answer, Verdict
from phone.enums import MESSAGE_RANK, Direction, MessageState
from phone.models import Channel, Message
from phone.services.inserts import insert_once
from vrp.errors import IllegalMove
from vrp.events.outbox import enqueue
from vrp.events.services import Actor, record
from vrp.haste import hasten
from vrp.tenancy.models import Tenant

log = structlog.get_logger(__name__)
CARRIER = Actor.carrier("africastalking")
# Three tries, the second after 5 and the third after 10 minutes more.
MAX_ATTEMPTS = 3
BACKOFF = hasten(timedelta(minutes=5))
# The network's refusal is worth one more try, no more.
MAX_ATTEMPTS_OF = {"RejectedByGateway": 2}
# How long nothing is sent after the carrier refused the account.
PAUSE = hasten(timedelta(minutes=15))


def queue_message(
    *,
    tenant: Tenant,
    workshop: Workshop,
    template: str,
    values: dict[str, Any],
    purpose: str,
    actor: Actor,
) -> Message:
    """Write one SMS to a workshop, in its language, and hand it over on commit.

    ``template`` is a key of ``phone.texts.sms``; ``purpose`` names the cause
    (``job.offered:17``): the same one again returns the first message and writes nothing.
    Call it inside the transaction of the cause.
    """
    language = texts.language_of(workshop.language)
    text = texts.sms(template, language, **values)
    return _write(
        Message(
            tenant=tenant,
            direction=Direction.OUT,
            workshop=workshop,
            phone=workshop.phone,
            template=template,
            language=language,
            text=text,
            parts=gsm.parts(text),
            purpose=purpose,
        ),
        actor,
    )


@transaction.atomic
def _write(message: Message, actor: Actor) -> Message:
    known = Message.objects.filter(purpose=message.purpose).first()
    if known:
        return known
    if not insert_once(message):
        # Another transaction wrote the same cause first; its message is the message.
        return Message.objects.get(purpose=message.purpose)
    data = {"template": message.template, "parts": message.parts}
    record("message.queued", subject=message, actor=actor, data=data)
    enqueue("sms", message)
    return message


@transaction.atomic
def settle_answer(*, message: Message, answer: Answer) -> Message:
    """Write down what the carrier's answer means for a message being sent.

    A delivery report may have overtaken the answer, so nothing is ever lowered.
    """
    message = lock(message.pk)
    if answer.verdict == Verdict.ACCEPTED:
        message.provider_id = answer.provider_id
        message.sent_at = message.sent_at or timezone.now()
        message.leased_until = None
        if raise_state(message, MessageState.WIRED):
            message.failure = ""
        message.save()
    elif message.state != MessageState.SENDING:
        log.info("sms.late_answer", message=message.pk, verdict=answer.verdict)
    elif answer.verdict == Verdict.STOPPED:
        until = _stop_channel(answer.code)
        _back_to_queue(message, until, answer.code, counts=False)
    elif answer.verdict == Verdict.RETRY and _may_retry(message, answer.code):
        due = timezone.now() + BACKOFF * message.attempts
        _back_to_queue(message, due, answer.code)
    elif answer.verdict == Verdict.UNKNOWN:
        _end(message, MessageState.UNKNOWN, answer.code)
    else:
        _end(message, MessageState.FAILED, answer.code or "Failed")
    return message


def _may_retry(message: Message, code: str) -> bool:
    return message.attempts < MAX_ATTEMPTS_OF.get(code, MAX_ATTEMPTS)


def _stop_channel(reason: str) -> datetime:
    """Send nothing for a while: the account is refused, whoever the message is for."""
    until = timezone.now() + PAUSE
    Channel.objects.update(stopped_until=until, stopped_reason=reason)
    log.error("sms.channel_stopped", reason=reason)
    return until


def _back_to_queue(
    message: Message, due: datetime, code: str, *, counts: bool = True
) -> None:
    message.state, message.due_at = MessageState.QUEUED, due
    message.last_error, message.leased_until = code, None
    if not counts:
        message.attempts = max(message.attempts - 1, 0)
    message.save()


def _end(message: Message, state: MessageState, code: str) -> None:
    message.state, message.failure, message.leased_until = state, code[:80], None
    message.save()
    record(f"message.{state}", subject=message, actor=CARRIER, data={"failure": code})


@transaction.atomic
def postpone(*, message: Message, until: datetime) -> None:
    """Put a claimed message back without having tried."""
    message = lock(message.pk)
    if message.state == MessageState.SENDING:
        _back_to_queue(message, until, message.last_error, counts=False)


@transaction.atomic
def fail(*, message: Message, code: str) -> None:
    """End a claimed message that will not be sent."""
    message = lock(message.pk)
    if message.state == MessageState.SENDING:
        _end(message, MessageState.FAILED, code)


def lose(message: Message) -> None:
    """The worker died between claim and answer (row locked): it may have been sent."""
    _end(message, MessageState.UNKNOWN, "Lost")


def lock(pk: int) -> Message:
    """The message, locked and read afresh."""
    return Message.objects.select_for_update(of=("self",)).get(pk=pk)


def raise_state(message: Message, state: MessageState) -> bool:
    """Move an outgoing message up the rank; False if it is that far already."""
    if MESSAGE_RANK[state] <= MESSAGE_RANK.get(message.state, 99):
        return False
    message.state = state
    return True


@transaction.atomic
def send_again(*, message: Message, actor: Actor) -> Message:
    """Write a failed or unknown message anew, decided by a person who knows that it may
    then arrive twice. The same one again returns the first copy.

    Raises IllegalMove for a message in any other state.
    """
    message = lock(message.pk)
    purpose = f"again:{message.pk}"
    copy = Message.objects.filter(purpose=purpose).first()
    if copy:
        return copy
    _check_stuck(message)
    _leave(message, "SentAgain", actor)
    fresh = Message(
        tenant=message.tenant,
        direction=Direction.OUT,
        workshop=message.workshop,
        # The number may have been put right since.
        phone=message.workshop.phone if message.workshop else message.phone,
        template=message.template,
        language=message.language,
        text=message.text,
        parts=message.parts,
        purpose=purpose,
    )
    return _write(fresh, actor)


@transaction.atomic
def close_message(*, message: Message, actor: Actor) -> Message:
    """Set aside a message that needs no more attention: an unmatched one that came in,
    or one whose outcome is unknown. Closing it again changes nothing."""
    message = lock(message.pk)
    if message.state == MessageState.UNMATCHED:
        message.state = MessageState.HANDLED
        message.save(update_fields=["state"])
        record("message.closed", subject=message, actor=actor)
    elif message.state == MessageState.UNKNOWN:
        _leave(message, "LeftAsIs", actor)
    elif message.state not in (MessageState.HANDLED, MessageState.FAILED):
        raise IllegalMove(f"This message is {message.get_state_display()}.")
    return message


def _check_stuck(message: Message) -> None:
    stuck = (MessageState.UNKNOWN, MessageState.FAILED)
    if message.direction != Direction.OUT or message.state not in stuck:
        raise IllegalMove("Only a message that failed or is unknown can be sent again.")


def _leave(message: Message, code: str, actor: Actor) -> None:
    message.state, message.failure = MessageState.FAILED, code
    message.save(update_fields=["state", "failure"])
    record("message.closed", subject=message, actor=actor, data={"failure": code})
