"""What leaves (SMS) and what is to be read (SMS that came in)."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from phone import carrier, replies
from phone.enums import MessageState
from phone.models import Channel, Message
from phone.services.inbound import requeue_reading
from phone.services.messages import fail, lose, postpone, settle_answer
from phone.services.reports import settle_reports_of
from vrp.events.outbox import Outbox, register

# A message that waited this long tells of things that are over.
TOO_OLD = timedelta(hours=24)


def deliver(message: Message) -> None:
    """Send one claimed message. The call to the carrier is outside any transaction."""
    channel = Channel.objects.first()
    now = timezone.now()
    if channel is None:
        fail(message=message, code="NoChannel")
    elif now - message.created_at > TOO_OLD:
        fail(message=message, code="TooOld")
    elif channel.stopped_until and channel.stopped_until > now:
        postpone(message=message, until=channel.stopped_until)
    else:
        answer = carrier.send(channel, message.phone, message.text)
        settled = settle_answer(message=message, answer=answer)
        settle_reports_of(settled)


def read(message: Message) -> None:
    """Understand one claimed incoming message and act on it, all or nothing."""
    with transaction.atomic():
        replies.handle(message)


register(
    Outbox(
        name="sms",
        model=Message,
        ready=(MessageState.QUEUED,),
        claimed=MessageState.SENDING,
        deliver=deliver,
        on_lost=lose,
        on_restored=lose,
        priority=4,
    )
)
register(
    Outbox(
        name="inbound",
        model=Message,
        ready=(MessageState.RECEIVED,),
        claimed=MessageState.READING,
        deliver=read,
        on_lost=requeue_reading,
        leaves=False,
        priority=2,
    )
)
