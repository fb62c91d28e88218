"""Signs of life."""

from django.db import models
from django.utils import timezone


class Heartbeat(models.Model):
    """The last sign of life of one process (worker, clock). Not a tenant's data."""

    name = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField(default=timezone.now)
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"
