"""A buyer's purchase order, what it needs, and its shipments."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from orders.enums import Channel, LineStage, OrderState
from orders.models.buyers import Buyer
from orders.models.catalogue import Component, Product
from vrp.tenancy.models import TenantForeignKey, TenantModel


class Order(TenantModel):
    """A purchase order. ``po_number`` is the buyer's own and unique per buyer.

    ``po_key`` is how two numbers are compared (``orders.numbers``): the database refuses
    a second one that a person would read as the same. Null on a row that was there before
    and shares its key with an older one.
    """

    public_id = models.UUIDField(default=uuid.uuid4, editable=False)
    number = models.PositiveBigIntegerField()
    buyer = TenantForeignKey(Buyer, related_name="orders")
    po_number = models.CharField(max_length=40)
    po_key = models.CharField(max_length=800, null=True, editable=False)
    channel = models.CharField(
        max_length=12, choices=Channel.choices, default=Channel.WHOLESALE
    )
    currency = models.CharField(max_length=3)
    ship_by = models.DateField()
    ship_to = models.JSONField(default=dict, blank=True)
    note = models.TextField(blank=True)
    state = models.CharField(
        max_length=20, choices=OrderState.choices, default=OrderState.PLACED
    )
    placed_at = models.DateTimeField(default=timezone.now)
    shipped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-placed_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "-placed_at", "-id"], name="order_newest"),
            models.Index(fields=["tenant", "state", "ship_by"], name="order_by_state"),
            models.Index(
                fields=["tenant", "ship_by", "id"],
                name="order_open_by_day",
                condition=Q(state__in=["placed", "in_production", "ready"]),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "buyer", "po_number"], name="order_po_unique"
            ),
            models.UniqueConstraint(
                fields=["tenant", "buyer", "po_key"], name="order_po_key_unique"
            ),
            models.UniqueConstraint(
                fields=["tenant", "number"], name="order_number_unique"
            ),
            models.UniqueConstraint(
                fields=["tenant", "public_id"], name="order_public_id_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.po_number


class OrderLine(TenantModel):
    """One product on an order. Headquarters moves the line as a whole through stages."""

    order = TenantForeignKey(Order, models.CASCADE, related_name="lines")
    number = models.PositiveSmallIntegerField()
    product = TenantForeignKey(Product, related_name="order_lines")
    quantity = models.PositiveIntegerField()
    unit_price_minor = models.PositiveIntegerField()
    stage = models.CharField(
        max_length=12, choices=LineStage.choices, default=LineStage.WAITING
    )

    class Meta:
        ordering = ["number"]
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "stage"],
                name="order_line_in_house",
                condition=~Q(stage="shipped"),
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "order", "number"], name="order_line_number_unique"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="order_line_quantity_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id}"


class PartNeed(TenantModel):
    """Bought-in parts that an order line needs, and how many are reserved for it.

    Shortage = quantity - reserved: to be purchased.
    """

    line = TenantForeignKey(OrderLine, models.CASCADE, related_name="part_needs")
    component = TenantForeignKey(Component, related_name="needs")
    quantity = models.PositiveIntegerField()
    reserved = models.PositiveIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "component"],
                name="part_need_short",
                condition=Q(reserved__lt=F("quantity")),
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "line", "component"], name="part_need_unique"
            ),
            models.CheckConstraint(
                condition=Q(reserved__lte=F("quantity")), name="reserved_within_need"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reserved}/{self.quantity} x {self.component_id}"

    @property
    def shortage(self) -> int:
        """Pieces still to be bought."""
        return self.quantity - self.reserved


class Shipment(TenantModel):
    """What left headquarters for a buyer: all lines of one order, in cartons."""

    public_id = models.UUIDField(default=uuid.uuid4, editable=False)
    number = models.PositiveBigIntegerField()
    order = TenantForeignKey(Order, related_name="shipments")
    carrier = models.CharField(max_length=60)
    tracking = models.CharField(max_length=80, blank=True)
    cartons = models.PositiveIntegerField(default=1)
    shipped_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="shipment_number_unique"
            ),
            models.UniqueConstraint(
                fields=["tenant", "order"], name="one_shipment_per_order"
            ),
        ]

    def __str__(self) -> str:
        return f"S-{self.number:04d}"
