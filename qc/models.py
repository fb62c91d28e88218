"""Grading: batches that came in, the pieces in them, and what was found."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from orders.models import DeliveryLine, Job
from qc.enums import BatchKind, BatchState, DefectClass, Grade, TicketState
from vrp.accounts.models import User
from vrp.tenancy.models import TenantForeignKey, TenantModel, TenantOneToOne


class Defect(TenantModel):
    """A thing that can be wrong with a piece, with its words in both languages."""

    code = models.CharField(max_length=30)
    name = models.CharField(max_length=60)
    name_sw = models.CharField(max_length=60)
    defect_class = models.CharField(
        max_length=12, choices=DefectClass.choices, default=DefectClass.QUALITY
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "code"], name="defect_code_unique"
            )
        ]

    def __str__(self) -> str:
        return self.name


class ReworkTicket(TenantModel):
    """Pieces of one inspection that went back to the workshop, due again by a date.

    When fewer return than went, ``quantity`` becomes what returned and the rest goes on
    as a ticket of its own, so that an inspection's tickets always add up to its rework.
    """

    job = TenantForeignKey(Job, related_name="rework_tickets")
    inspection = TenantForeignKey("qc.Inspection", related_name="rework_tickets")
    quantity = models.PositiveIntegerField()
    due_on = models.DateField()
    state = models.CharField(
        max_length=10, choices=TicketState.choices, default=TicketState.OPEN
    )
    created_at = models.DateTimeField(default=timezone.now)
    returned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["tenant", "state", "due_on"], name="rework_open")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="rework_positive")
        ]

    def __str__(self) -> str:
        return f"{self.quantity} to mend, job {self.job_id}"


class Batch(TenantModel):
    """The pieces of one job that came in together: what is inspected as a whole."""

    number = models.PositiveBigIntegerField()
    job = TenantForeignKey(Job, related_name="batches")
    kind = models.CharField(
        max_length=8, choices=BatchKind.choices, default=BatchKind.FIRST
    )
    delivery_line = TenantOneToOne(
        DeliveryLine, null=True, blank=True, related_name="batch"
    )
    ticket = TenantOneToOne(ReworkTicket, null=True, blank=True, related_name="batch")
    counted = models.PositiveIntegerField()
    state = models.CharField(
        max_length=8, choices=BatchState.choices, default=BatchState.OPEN
    )
    opened_at = models.DateTimeField(default=timezone.now)
    graded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "state", "-number"], name="batch_by_state")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="batch_number_unique"
            ),
            models.CheckConstraint(
                condition=Q(counted__gt=0), name="batch_counted_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"B-{self.number}"


class Inspection(TenantModel):
    """One completed grading of one batch. Its counts sum to the batch's count.

    A batch is inspected once; a repeated post of the same form finds this row and stops.
    """

    batch = TenantOneToOne(Batch, related_name="inspection")
    grader = models.ForeignKey(User, models.PROTECT, related_name="+")
    aa = models.PositiveIntegerField()
    a = models.PositiveIntegerField()
    b = models.PositiveIntegerField()
    rework = models.PositiveIntegerField()
    scrap = models.PositiveIntegerField()
    note = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["tenant", "-at"], name="inspection_newest")
        ]

    def __str__(self) -> str:
        return f"{self.aa} AA, {self.a} A, {self.b} B, {self.rework}, {self.scrap}"

    @property
    def accepted(self) -> int:
        """Pieces that are paid and used."""
        return self.aa + self.a + self.b


class Item(TenantModel):
    """One made piece with its own serial, tied to batch, job and (so) workshop.

    ``serial`` is "<component code>-<batch number>-<nnn>" of its first batch and stays
    with the piece. ``batch`` is the newest one it came in with; every verdict it ever
    had is an ``ItemGrade``.
    """

    serial = models.CharField(max_length=60)
    job = TenantForeignKey(Job, related_name="items")
    batch = TenantForeignKey(Batch, related_name="items")
    grade = models.CharField(max_length=6, choices=Grade.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["serial"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "serial"], name="serial_unique")
        ]

    def __str__(self) -> str:
        return self.serial


class ItemGrade(TenantModel):
    """The verdict of one inspection on one item, with the defect that caused it."""

    item = TenantForeignKey(Item, related_name="grades")
    inspection = TenantForeignKey(Inspection, related_name="grades")
    grade = models.CharField(max_length=6, choices=Grade.choices)
    defect = TenantForeignKey(Defect, null=True, blank=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "item", "inspection"], name="item_grade_unique"
            )
        ]

    def __str__(self) -> str:
        return self.grade
