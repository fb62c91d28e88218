"""People who sign in, and their roles in tenants."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone

from vrp.accounts.enums import Role
from vrp.accounts.visitor import browser_words
from vrp.secrets import SealedField
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


class StaffSession(AbstractBaseSession):
    """A signed-in browser. Its row is the session: without the row nobody is signed in.

    The columns repeat what ``vrp.accounts.sessions`` keeps in the data, so that a person
    can be shown their sessions and they can be ended. ``user`` is empty until the sign-in
    is complete.
    """

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    ip = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"session of {self.user_id} since {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def browser(self) -> str:
        """Browser and system in words that their owner recognises."""
        return browser_words(self.agent)


class SecondFactor(models.Model):
    """A person's authenticator app (RFC 6238) in use.

    What is being set up is in the session that began it; rows that are not confirmed are
    leftovers of earlier releases, ask for nothing and are cleared by the clock.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor")
    # Encrypted; manage.py rotate_secrets knows it by its type.
    secret_sealed = SealedField()
    confirmed_at = models.DateTimeField(null=True)
    # The 30-second step of the newest accepted code: it and older ones are used up.
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"second factor of {self.user}"


class RecoveryCode(models.Model):
    """One code for the day the phone is lost: salted hash only, used once."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    salt = models.CharField(max_length=32)
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"recovery code of {self.user}"


class Tries(models.Model):
    """Failed guesses by one key (an account, an address, both): ``vrp.accounts.throttle``.

    The key is a keyed hash, because people type passwords into the name field.
    """

    key = models.CharField(max_length=64, unique=True)
    failed = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(default=timezone.now)
    wait_until = models.DateTimeField(null=True)
    # Whose account is locked, and whether that is on record already.
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    is_noted = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "tries"
        indexes: ClassVar = [models.Index(fields=["last_at"], name="tries_by_age")]

    def __str__(self) -> str:
        return f"{self.failed} failed"
