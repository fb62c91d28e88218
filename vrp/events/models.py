"""The append-only record of who did what to which thing, when and why."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from vrp.tenancy.models import TenantModel


class Event(TenantModel):
    """One line. Never changed or deleted: a trigger allows only sealing, once.

    ``number`` and ``hash`` are empty until the clock seals the line into the tenant's
    hash chain (``vrp.events.seal``).
    """

    name = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=120)
    reason = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)
    number = models.BigIntegerField(null=True)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "subject_type", "subject_id", "id"],
                name="event_by_subject",
            ),
            models.Index(
                fields=["tenant", "id"],
                name="event_unsealed",
                condition=models.Q(number__isnull=True),
            ),
            # Buyers ask which orders changed since they asked last.
            models.Index(
                fields=["tenant", "at"],
                name="event_of_orders",
                condition=models.Q(subject_type="order"),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="event_number_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.subject_type}:{self.subject_id}"


class SendingPause(TenantModel):
    """One outbox of the tenant that sends nothing until a person releases it.

    A restore writes it: what the restored rows say is to be sent may have been sent
    since the backup was taken.
    """

    outbox = models.CharField(max_length=40)
    reason = models.TextField()
    since = models.DateTimeField(default=timezone.now)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(max_length=120, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "outbox"],
                condition=models.Q(released_at__isnull=True),
                name="one_pause_per_outbox",
            )
        ]

    def __str__(self) -> str:
        return f"{self.outbox} paused since {self.since:%Y-%m-%d %H:%M}"

    @classmethod
    def active(cls) -> "models.QuerySet[SendingPause]":
        """Those that nobody has released yet."""
        return cls.objects.filter(released_at__isnull=True)
