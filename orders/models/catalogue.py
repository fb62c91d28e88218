"""What can be ordered and what it is made of."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from artisans.models import Skill
from orders.enums import ComponentKind
from vrp.tenancy.models import TenantForeignKey, TenantModel


class Component(TenantModel):
    """A part: made by a workshop, bought in, or assembled from other components.

    ``piece_rate_minor`` (tenant's currency, minor units) is what one accepted piece earns;
    a job copies it, so a later change never touches accepted work.
    """

    code = models.CharField(max_length=30)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=ComponentKind.choices)
    family = models.CharField(max_length=40, blank=True)
    material = models.CharField(max_length=40, blank=True)
    motif = models.CharField(max_length=40, blank=True)
    difficulty = models.PositiveSmallIntegerField(
        default=1, help_text="1 easy .. 5 hard"
    )
    skill = TenantForeignKey(Skill, null=True, blank=True, related_name="components")
    min_level = models.PositiveSmallIntegerField(default=1)
    piece_rate_minor = models.PositiveIntegerField(default=0)
    standard_minutes = models.PositiveIntegerField(default=0)
    tolerance = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "code"], name="component_code_unique"
            ),
            models.CheckConstraint(
                condition=~Q(kind="made")
                | Q(skill__isnull=False, piece_rate_minor__gt=0),
                name="made_component_has_skill_and_rate",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Product(TenantModel):
    """What a buyer orders. ``price_minor`` is the wholesale price in ``currency``."""

    sku = models.CharField(max_length=30)
    name = models.CharField(max_length=120)
    family = models.CharField(max_length=40, blank=True)
    collection = models.CharField(max_length=40, blank=True)
    price_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default="USD")
    lead_days = models.PositiveSmallIntegerField(default=28)
    retired_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["sku"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "sku"], name="product_sku_unique")
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"


class BomLine(TenantModel):
    """One line of a bill of materials: ``quantity`` of a component in one parent.

    The parent is a product, or a component of kind *assembled* (a further level).
    """

    product = TenantForeignKey(
        Product, models.CASCADE, null=True, blank=True, related_name="bom"
    )
    parent = TenantForeignKey(
        Component, models.CASCADE, null=True, blank=True, related_name="bom"
    )
    component = TenantForeignKey(Component, related_name="used_in")
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(product__isnull=False, parent__isnull=True)
                | Q(product__isnull=True, parent__isnull=False),
                name="bom_line_one_parent",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="bom_quantity_positive"
            ),
            models.UniqueConstraint(
                fields=["tenant", "product", "component"], name="bom_product_unique"
            ),
            models.UniqueConstraint(
                fields=["tenant", "parent", "component"], name="bom_parent_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.component_id}"


class StockMove(TenantModel):
    """A change of the stock of a bought-in part; the stock is the sum of its moves."""

    component = TenantForeignKey(Component, related_name="stock_moves")
    quantity = models.IntegerField()
    reason = models.CharField(max_length=80)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["tenant", "component"], name="stock_by_component")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(quantity=0), name="stock_move_not_zero")
        ]

    def __str__(self) -> str:
        return f"{self.quantity:+d} {self.component_id}"
