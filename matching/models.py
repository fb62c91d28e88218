"""Who should make what: recorded outcomes, plans and their reasons."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from artisans.models import Workshop
from matching.enums import Answer, Obstacle, PlanState
from orders.models import Component, Job, WorkOrder
from vrp.accounts.models import User
from vrp.events.outbox import Outgoing
from vrp.tenancy.models import TenantForeignKey, TenantModel, TenantOneToOne


class JobRecord(TenantModel):
    """The outcome of one job as the matcher learns from it: one row a job.

    Written when a live job changes, or loaded from a history file (the columns are those
    of the history format). Empty means not known, never zero. ``job`` names the job in
    its source; live jobs are ``live:<number>``.
    """

    job = models.CharField(max_length=60)
    workshop = TenantForeignKey(Workshop, related_name="records")
    component = TenantForeignKey(Component, related_name="records")
    quantity = models.PositiveIntegerField()
    offered_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=10, choices=Answer.choices, blank=True)
    due_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    units_aa = models.PositiveIntegerField(null=True)
    units_a = models.PositiveIntegerField(null=True)
    units_b = models.PositiveIntegerField(null=True)
    units_rework = models.PositiveIntegerField(null=True)
    units_scrap = models.PositiveIntegerField(null=True)
    unit_price_minor = models.PositiveIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    attributes = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "workshop", "-offered_at"], name="record_by_workshop"
            ),
            models.Index(fields=["tenant", "-offered_at"], name="record_newest"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "job"], name="job_record_unique")
        ]

    def __str__(self) -> str:
        return self.job


class Plan(Outgoing):
    """One run of the matcher over some work orders. A person releases what it proposes.

    As an outbox row it waits for a worker, and survives the worker's death.
    """

    number = models.PositiveBigIntegerField()
    state = models.CharField(
        max_length=10, choices=PlanState.choices, default=PlanState.QUEUED
    )
    work_orders = models.ManyToManyField(
        WorkOrder, through="matching.PlanWorkOrder", related_name="plans"
    )
    min_lot = models.PositiveIntegerField()
    max_lot = models.PositiveIntegerField()
    fairness = models.DecimalField(max_digits=3, decimal_places=2)
    seed = models.PositiveIntegerField(default=1)
    # Another date than the work orders' own, for work that is late already.
    due_on = models.DateField(null=True, blank=True)
    progress = models.PositiveSmallIntegerField(default=0, help_text="per cent")
    step = models.CharField(max_length=80, blank=True)
    score_version = models.CharField(max_length=20, blank=True)
    # How the solver ended, in words for the planner.
    solver = models.CharField(max_length=160, blank=True)
    made_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-number"]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "state", "due_at"], name="plan_due"),
            models.Index(fields=["tenant", "-number"], name="plan_newest"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="plan_number_unique"
            ),
            models.CheckConstraint(
                condition=Q(min_lot__gt=0, max_lot__gte=models.F("min_lot")),
                name="plan_lots_make_sense",
            ),
            models.CheckConstraint(
                condition=Q(fairness__gte=0, fairness__lte=1),
                name="plan_fairness_0_to_1",
            ),
        ]

    def __str__(self) -> str:
        return f"Plan {self.number}"


class PlanWorkOrder(TenantModel):
    """A work order in a plan, and the quantity that was open when the plan ran.

    ``short`` pieces of it the plan places with nobody; ``why_short`` says why.
    ``due_on`` is the date the work was planned for.
    """

    plan = TenantForeignKey(Plan, models.CASCADE, related_name="rows")
    work_order = TenantForeignKey(WorkOrder, models.CASCADE, related_name="plan_rows")
    quantity = models.PositiveIntegerField(default=0)
    short = models.PositiveIntegerField(default=0)
    why_short = models.CharField(max_length=240, blank=True)
    due_on = models.DateField(null=True, blank=True)
    eligible = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["due_on", "work_order_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "plan", "work_order"], name="plan_row_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}: {self.work_order_id}"


class Proposal(TenantModel):
    """A job that a plan proposes, with why. ``job`` is set once it was released.

    ``score`` is 0..1; ``dimensions`` maps each of the five to value, low, high and n;
    ``reasons`` are sentences, strongest first. ``free`` is how many pieces the workshop
    could make before the due date when the plan ran. ``edited_by`` names who changed it.
    """

    plan = TenantForeignKey(Plan, models.CASCADE, related_name="proposals")
    work_order = TenantForeignKey(WorkOrder, related_name="proposals")
    workshop = TenantForeignKey(Workshop, related_name="proposals")
    quantity = models.PositiveIntegerField()
    score = models.FloatField()
    dimensions = models.JSONField(default=dict)
    reasons = models.JSONField(default=list)
    edited_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    free = models.PositiveIntegerField(default=0)
    warning = models.CharField(max_length=200, blank=True)
    override_reason = models.CharField(max_length=200, blank=True)
    job = TenantOneToOne(Job, null=True, blank=True, related_name="proposal")

    class Meta:
        ordering = ["work_order_id", "-score", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "plan", "work_order", "workshop"],
                name="proposal_unique",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="proposal_quantity_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} to {self.workshop_id}"


class PassedOver(TenantModel):
    """A workshop that got nothing of a work order in a plan, and why."""

    plan = TenantForeignKey(Plan, models.CASCADE, related_name="passed_over")
    work_order = TenantForeignKey(WorkOrder, models.CASCADE, related_name="+")
    workshop = TenantForeignKey(Workshop, models.CASCADE, related_name="+")
    obstacle = models.CharField(max_length=10, choices=Obstacle.choices)
    detail = models.CharField(max_length=200, blank=True)
    score = models.FloatField(null=True)
    free = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "plan", "work_order", "workshop"],
                name="passed_over_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.workshop_id}: {self.obstacle}"
