"""States of messages, and which overrides which."""

from django.db.models import TextChoices


class Direction(TextChoices):
    OUT = "out", "to the artisan"
    IN = "in", "from the artisan"


class MessageState(TextChoices):
    QUEUED = "queued", "waiting to be sent"
    SENDING = "sending", "being handed to the carrier"
    WIRED = "wired", "accepted by the carrier"
    SENT = "sent", "on its way to the phone"
    DELIVERED = "delivered", "on the phone"
    FAILED = "failed", "not delivered"
    UNKNOWN = "unknown", "unknown: the carrier's answer was lost"
    RECEIVED = "received", "received, to be read"
    HANDLED = "handled", "read and acted upon"
    UNMATCHED = "unmatched", "received from a number we do not know"


# A delivery report may come early, late or twice: it may only raise the rank.
MESSAGE_RANK: dict[str, int] = {
    MessageState.QUEUED: 0,
    MessageState.SENDING: 1,
    MessageState.UNKNOWN: 2,
    MessageState.WIRED: 3,
    MessageState.SENT: 4,
    MessageState.FAILED: 5,
    MessageState.DELIVERED: 6,
}
