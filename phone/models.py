"""The artisan's phone: channels, messages, USSD sessions."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from artisans.models import Workshop
from phone import failures
from phone.enums import Direction, MessageState
from vrp.events.outbox import Outgoing
from vrp.secrets import AddressSecretField, SealedField
from vrp.tenancy.models import TenantForeignKey, TenantModel


class Channel(TenantModel):
    """A tenant's account with the carrier: sender, USSD code, route secret.

    ``route_secret`` is the unguessable part of the callback URLs (160 bits); the one
    before it, ``old_route_secret``, holds until ``old_route_until``, while the carrier's
    dashboard is being changed. These and ``api_key`` are stored encrypted. While
    ``stopped_until`` is ahead nothing is sent: the carrier refused the account itself
    (``stopped_reason``), not one message.
    """

    username = models.CharField(max_length=60)
    api_key = SealedField()
    sender = models.CharField(max_length=20)
    ussd_code = models.CharField(max_length=20)
    route_secret = AddressSecretField()
    old_route_secret = AddressSecretField(blank=True, default="", db_default="")
    old_route_until = models.DateTimeField(null=True, blank=True)
    stopped_until = models.DateTimeField(null=True, blank=True)
    stopped_reason = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant"], name="one_channel_per_tenant")
        ]

    def __str__(self) -> str:
        return f"{self.sender} {self.ussd_code}"


class Message(Outgoing):
    """One SMS, out or in. ``purpose`` is unique: the same cause never writes twice.

    ``text`` is the final text in ``language``; ``parts`` the GSM-7 parts it costs.
    ``provider_id`` is the carrier's id (out: from its answer; in: from its callback).
    ``failure`` is the carrier's or our own code, put in words by ``phone.failures``.
    """

    direction = models.CharField(max_length=3, choices=Direction.choices)
    workshop = TenantForeignKey(
        Workshop, null=True, blank=True, related_name="messages"
    )
    phone = models.CharField(max_length=16)
    template = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=2, blank=True)
    text = models.TextField(blank=True)
    parts = models.PositiveSmallIntegerField(default=1)
    purpose = models.CharField(max_length=120, blank=True)
    state = models.CharField(
        max_length=10, choices=MessageState.choices, default=MessageState.QUEUED
    )
    provider_id = models.CharField(max_length=80, blank=True)
    network_code = models.CharField(max_length=10, blank=True)
    failure = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "state", "due_at"],
                name="message_due",
                condition=Q(state__in=["queued", "sending", "received", "reading"]),
            ),
            models.Index(
                fields=["tenant", "workshop", "-id"], name="message_by_workshop"
            ),
            models.Index(fields=["tenant", "-id"], name="message_newest"),
            models.Index(
                fields=["tenant", "state", "-id"],
                name="message_to_see_to",
                condition=Q(state__in=["unmatched", "unknown", "failed"]),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "purpose"],
                condition=~Q(purpose=""),
                name="message_purpose_unique",
            ),
            models.UniqueConstraint(
                fields=["tenant", "direction", "provider_id"],
                condition=~Q(provider_id=""),
                name="message_provider_id_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.state}"

    @property
    def failure_words(self) -> str:
        """Why it did not arrive, for a planner."""
        return failures.words(self.failure)


class UssdSession(TenantModel):
    """One dial. Keeps the last text and the answer given, to replay an exact repeat."""

    session_id = models.CharField(max_length=100)
    phone = models.CharField(max_length=16)
    workshop = TenantForeignKey(
        Workshop, null=True, blank=True, related_name="ussd_sessions"
    )
    screen = models.CharField(max_length=40, blank=True)
    data = models.JSONField(default=dict)
    text = models.TextField(blank=True)
    reply = models.TextField(blank=True)
    turns = models.PositiveSmallIntegerField(default=0)
    is_over = models.BooleanField(default=False)
    started_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "workshop", "-updated_at"], name="ussd_by_workshop"
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "session_id"], name="ussd_session_unique"
            )
        ]

    def __str__(self) -> str:
        return self.session_id


class DeliveryReport(TenantModel):
    """A delivery report of the carrier, kept as it came, known message or not.

    ``times`` is how often the very same one came; ``at`` is when it came first.
    """

    provider_id = models.CharField(max_length=80)
    status = models.CharField(max_length=40)
    phone = models.CharField(max_length=20, blank=True)
    network_code = models.CharField(max_length=10, blank=True)
    failure = models.CharField(max_length=80, blank=True)
    message = TenantForeignKey(Message, null=True, blank=True, related_name="reports")
    times = models.PositiveIntegerField(default=1)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "provider_id", "status", "failure"],
                name="delivery_report_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.status}"
