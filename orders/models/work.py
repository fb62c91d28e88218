"""The work an order causes: work orders, the jobs they are split into, deliveries."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from artisans.models import Workshop
from orders.enums import (
    JOB_OPEN,
    DeclineReason,
    DeliveryState,
    JobState,
    WorkOrderState,
)
from orders.models.catalogue import Component
from orders.models.orders import OrderLine
from vrp.tenancy.models import TenantForeignKey, TenantModel


class WorkOrder(TenantModel):
    """The quantity of one made component that one order line needs, with a due date.

    ``placed`` counts pieces in jobs that are offered, accepted, at work or graded,
    ``accepted`` those a workshop said yes to, ``good`` those graded AA, A or B. What is
    still to be planned is quantity - placed; a scrapped piece comes off ``placed`` again.
    """

    line = TenantForeignKey(OrderLine, models.CASCADE, related_name="work_orders")
    component = TenantForeignKey(Component, related_name="work_orders")
    quantity = models.PositiveIntegerField()
    due_on = models.DateField()
    state = models.CharField(
        max_length=12, choices=WorkOrderState.choices, default=WorkOrderState.OPEN
    )
    placed = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    good = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["due_on", "id"]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "state", "due_on"], name="work_order_open")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "line", "component"], name="work_order_unique"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="work_order_quantity_positive"
            ),
            models.CheckConstraint(
                condition=Q(placed__lte=F("quantity")), name="placed_within_quantity"
            ),
            models.CheckConstraint(
                condition=Q(accepted__lte=F("placed")), name="accepted_within_placed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.component_id}"

    @property
    def open_quantity(self) -> int:
        """Pieces that no job covers yet: what a planner has to place."""
        return self.quantity - self.placed


class Job(TenantModel):
    """The lot of a work order placed with one workshop.

    ``quantity`` is what was offered; after a part acceptance what was accepted.
    ``piece_rate_minor`` in ``currency`` was copied when the job was offered.
    ``made`` is the workshop's own report, ``delivered`` what headquarters counted,
    ``good`` what was graded AA, A or B, ``scrapped`` what was written off.
    """

    number = models.PositiveBigIntegerField()
    work_order = TenantForeignKey(WorkOrder, related_name="jobs")
    workshop = TenantForeignKey(Workshop, related_name="jobs")
    quantity = models.PositiveIntegerField()
    offered_quantity = models.PositiveIntegerField()
    piece_rate_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    due_on = models.DateField()
    state = models.CharField(
        max_length=12, choices=JobState.choices, default=JobState.OFFERED
    )
    offered_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    decline_reason = models.CharField(
        max_length=10, choices=DeclineReason.choices, blank=True
    )
    made = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    good = models.PositiveIntegerField(default=0)
    scrapped = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "workshop", "state"], name="job_by_workshop"
            ),
            models.Index(
                fields=["tenant", "expires_at"],
                name="job_offers_open",
                condition=Q(state="offered"),
            ),
            models.Index(fields=["tenant", "-number"], name="job_newest"),
            models.Index(
                fields=["tenant", "due_on", "id"],
                name="job_open_by_due",
                condition=Q(state__in=JOB_OPEN),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="job_number_unique"
            ),
            # One open job per workshop and work order: a double release offers once.
            models.UniqueConstraint(
                fields=["tenant", "work_order", "workshop"],
                condition=Q(state__in=JOB_OPEN),
                name="one_open_job_per_workshop",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, piece_rate_minor__gt=0),
                name="job_quantity_and_rate_positive",
            ),
            models.CheckConstraint(
                condition=Q(delivered__lte=F("quantity")),
                name="delivered_within_quantity",
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)

    @property
    def to_deliver(self) -> int:
        """Pieces the workshop still has to bring in."""
        return self.quantity - self.delivered

    @property
    def value_minor(self) -> int:
        """What the whole job earns if every piece is accepted."""
        return self.quantity * self.piece_rate_minor


class Delivery(TenantModel):
    """Goods carried in by one workshop, booked ahead or simply brought."""

    number = models.PositiveBigIntegerField()
    workshop = TenantForeignKey(Workshop, related_name="deliveries")
    booked_for = models.DateField()
    state = models.CharField(
        max_length=10, choices=DeliveryState.choices, default=DeliveryState.BOOKED
    )
    booked_at = models.DateTimeField(default=timezone.now)
    received_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "booked_for", "id"],
                name="delivery_expected",
                condition=Q(state="booked"),
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="delivery_number_unique"
            )
        ]

    def __str__(self) -> str:
        return f"D-{self.number:04d}"


class DeliveryLine(TenantModel):
    """Pieces of one job in a delivery: what was declared, what was counted."""

    delivery = TenantForeignKey(Delivery, models.CASCADE, related_name="lines")
    job = TenantForeignKey(Job, related_name="delivery_lines")
    declared = models.PositiveIntegerField()
    counted = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "delivery", "job"], name="delivery_line_unique"
            ),
            models.CheckConstraint(
                condition=Q(declared__gt=0), name="declared_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.declared} of job {self.job_id}"
