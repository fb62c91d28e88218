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
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="event_number_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.subject_type}:{self.subject_id}"
