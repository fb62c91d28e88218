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
    READING = "reading", "being read"
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


# What a delivery report's status means for the message. Statuses that are not listed
# are kept as they came and change nothing.
REPORT_STATES: dict[str, MessageState] = {
    "Sent": MessageState.SENT,
    "Submitted": MessageState.SENT,
    "Buffered": MessageState.SENT,
    "Success": MessageState.DELIVERED,
    "Rejected": MessageState.FAILED,
    "Failed": MessageState.FAILED,
    "AbsentSubscriber": MessageState.FAILED,
    "Expired": MessageState.FAILED,
}
