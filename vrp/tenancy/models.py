"""The tenant, and what every row that belongs to one has in common."""

from typing import Any, ClassVar

from django.db import models
from django.utils.timezone import now
from django_scopes import ScopedManager

from vrp.tenancy.enums import SecondFactorRule


class Tenant(models.Model):
    """A brand or aggregator with its own network, buyers, money and people.

    The policy columns are the tenant's own rules; their defaults follow the sources
    named beside them. Not itself under row-level security: it is the directory.
    """

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    country = models.CharField(max_length=2, default="KE")
    currency = models.CharField(max_length=3, default="KES")
    timezone = models.CharField(max_length=64, default="Africa/Nairobi")
    default_language = models.CharField(max_length=2, default="en")
    # Lot rules: minimum 30 units (thesis 2:914), batch of tens to hundreds.
    min_lot = models.PositiveIntegerField(default=30)
    max_lot = models.PositiveIntegerField(default=100)
    # A silent offer lapses after this long and comes back to the planner.
    offer_hours = models.PositiveIntegerField(default=24)
    # Weight of steady income against best score in a plan, 0..1.
    fairness = models.DecimalField(max_digits=3, decimal_places=2, default="0.5")
    # Wholesale minimum for white-label orders (thesis 2:1000).
    white_label_minimum = models.PositiveIntegerField(default=50)
    rework_days = models.PositiveIntegerField(default=5)
    # Days at headquarters between the last part coming in and shipping.
    assembly_days = models.PositiveIntegerField(default=7)
    # Who has to enter a code besides the password; set by its admin in the console.
    second_factor = models.CharField(
        max_length=10,
        choices=SecondFactorRule.choices,
        default=SecondFactorRule.NONE,
        db_default=SecondFactorRule.NONE,
        editable=False,
    )
    created_at = models.DateTimeField(default=now)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TenantForeignKey(models.ForeignKey):
    """A foreign key between two rows of one tenant.

    The plain constraint is left out because ``vrp.tenancy.secure`` adds the stronger one
    on (tenant_id, id), by which the database refuses a parent of another tenant.
    """

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("db_constraint", None)
        return name, path, args, kwargs


class TenantOneToOne(TenantForeignKey, models.OneToOneField):
    """The same for one-to-one."""


class TenantModel(models.Model):
    """Base of every row that belongs to a tenant. See ``vrp.tenancy.secure``."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+")

    objects = ScopedManager(tenant="tenant")

    class Meta:
        abstract = True


class Counter(TenantModel):
    """The last number given out for one kind of thing (job, batch, payout run)."""

    name = models.CharField(max_length=30)
    value = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "name"], name="counter_unique")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.value}"
