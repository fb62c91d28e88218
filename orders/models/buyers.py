"""Retail buyers, and how their own systems reach us and hear from us."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from orders.enums import WebhookState
from vrp.events.outbox import Outgoing
from vrp.secrets import SealedField
from vrp.tenancy.models import TenantForeignKey, TenantModel


class Buyer(TenantModel):
    """A retailer who orders. ``currency`` is what they are invoiced in."""

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, default="USD")
    terms_days = models.PositiveSmallIntegerField(default=30)
    email = models.EmailField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "code"], name="buyer_code_unique")
        ]

    def __str__(self) -> str:
        return self.name


class ApiKey(TenantModel):
    """A buyer's key. Only ``lookup`` (8 characters) and an HMAC of the rest are kept.

    The key names its tenant (``vrp_<tenant>_<lookup>_<secret>``), so that it can be looked
    up inside that tenant's scope. A key that replaces another one points to the ``first``
    of their line: what was sent with the one may be repeated with the other.
    """

    buyer = TenantForeignKey(Buyer, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    lookup = models.CharField(max_length=8)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=40), default=list, db_default=[])
    first = TenantForeignKey(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="successors",
        db_index=False,
    )
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "lookup"], name="api_key_lookup_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.lookup}...)"

    @property
    def prefix(self) -> str:
        """The part that may be seen, and by which people tell keys apart."""
        return f"vrp_{self.tenant_id}_{self.lookup}"

    @property
    def line_id(self) -> int:
        """The first key of the line of replacements that this one stands in."""
        return self.first_id or self.pk


class IdempotencyRecord(TenantModel):
    """The stored answer to one ``Idempotency-Key``: replayed, never done twice."""

    api_key = TenantForeignKey(ApiKey, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "api_key", "key"], name="idempotency_key_unique"
            )
        ]

    def __str__(self) -> str:
        return self.key


class WebhookEndpoint(TenantModel):
    """Where a buyer wants to hear of changes.

    Secrets are stored encrypted. ``old_secret`` signs beside the new one until
    ``old_secret_until``, so that a receiver can change over in its own time.
    """

    public_id = models.UUIDField(default=uuid.uuid4, editable=False)
    buyer = TenantForeignKey(Buyer, models.CASCADE, related_name="webhooks")
    url = models.URLField(max_length=500)
    secret = SealedField()
    old_secret = SealedField(blank=True, default="", db_default="")
    old_secret_until = models.DateTimeField(null=True, blank=True)
    events = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "public_id"], name="webhook_public_id_unique"
            )
        ]

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(Outgoing):
    """One event on its way to one endpoint. ``public_id`` is the ``webhook-id`` header:
    the same in every attempt, so that a receiver can drop duplicates."""

    public_id = models.UUIDField(default=uuid.uuid4, editable=False)
    endpoint = TenantForeignKey(
        WebhookEndpoint, models.CASCADE, related_name="deliveries"
    )
    event_name = models.CharField(max_length=60)
    payload = models.JSONField()
    state = models.CharField(
        max_length=20, choices=WebhookState.choices, default=WebhookState.QUEUED
    )
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "state", "due_at"],
                name="webhook_due",
                condition=models.Q(state__in=["queued", "sending"]),
            ),
            models.Index(fields=["tenant", "created_at"], name="webhook_by_age"),
            models.Index(
                fields=["tenant", "endpoint", "-id"], name="webhook_by_endpoint"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_name} to {self.endpoint_id}"


class WebhookAttempt(TenantModel):
    """One try to tell one endpoint, for people who look why it did not arrive.

    ``answer`` is the beginning of what came back, with what looks like a secret taken
    out; ``status`` is HTTP's, or null when no answer came and ``error`` says why.
    """

    delivery = TenantForeignKey(WebhookDelivery, models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField(default=timezone.now)
    duration_ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)
    answer = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "delivery", "id"], name="attempt_of_delivery"
            )
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"
