"""Uploaded spreadsheets, kept between preview and loading, and afterwards as evidence."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from vrp.accounts.models import User
from vrp.tenancy.models import TenantModel


class ImportFile(TenantModel):
    """One uploaded file: its bytes, and when who loaded it."""

    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    content = models.BinaryField()
    uploaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(default=timezone.now)
    loaded_at = models.DateTimeField(null=True, blank=True)
    summary = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "kind", "-id"], name="import_newest")
        ]

    def __str__(self) -> str:
        return self.name
