"""People who sign in, and their roles in tenants."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from vrp.accounts.enums import Role
from vrp.tenancy.models import Tenant


class User(AbstractUser):
    """A person of the staff. Artisans have no user: their phone is their way in."""

    timezone = models.CharField(
        max_length=64, blank=True, help_text="Empty: the tenant's own time zone."
    )

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Membership(models.Model):
    """One role of one person in one tenant.

    Read before any tenant is known (at sign-in), hence not under row-level security.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    regions = ArrayField(
        models.CharField(max_length=60),
        default=list,
        blank=True,
        help_text="Field workers only: the regions whose workshops they may open.",
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "tenant", "role"], name="membership_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} of {self.tenant}"
