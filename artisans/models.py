"""The network: areas, workshops, the people in them, what they can make and when."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from artisans.enums import Engagement, Gender, Language, Segment
from vrp.tenancy.models import TenantForeignKey, TenantModel


class Area(TenantModel):
    """Where workshops cluster. Field workers are given regions, not single areas."""

    code = models.CharField(max_length=30)
    name = models.CharField(max_length=80)
    region = models.CharField(max_length=60)

    class Meta:
        ordering = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "code"], name="area_code_unique")
        ]

    def __str__(self) -> str:
        return self.name


class Skill(TenantModel):
    """A technique on a material: what a component needs and a workshop holds."""

    code = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    technique = models.CharField(max_length=40)
    material = models.CharField(max_length=40)

    class Meta:
        ordering = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "code"], name="skill_code_unique")
        ]

    def __str__(self) -> str:
        return self.name


class Workshop(TenantModel):
    """A microfactory: the unit that gets jobs and money, run by a lead artisan.

    ``capacity_per_week`` counts pieces. Whether a workshop is *active* is computed from
    its jobs (facts A3), never typed in; ``left_on`` is a fact somebody told us.
    """

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    area = TenantForeignKey(Area, related_name="workshops")
    phone = models.CharField(
        max_length=16, help_text="E.164; receives offers and money"
    )
    language = models.CharField(
        max_length=2, choices=Language.choices, default=Language.ENGLISH
    )
    segment = models.CharField(
        max_length=20, choices=Segment.choices, default="", blank=True
    )
    capacity_per_week = models.PositiveIntegerField(default=50)
    joined_on = models.DateField()
    left_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "code"], name="workshop_code_unique"
            ),
            models.UniqueConstraint(
                fields=["tenant", "phone"], name="workshop_phone_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Artisan(TenantModel):
    """A person in a workshop. People who left keep their row with ``left_on``."""

    workshop = TenantForeignKey(Workshop, related_name="artisans")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    gender = models.CharField(
        max_length=10, choices=Gender.choices, default=Gender.UNSTATED
    )
    engagement = models.CharField(max_length=12, choices=Engagement.choices)
    born_year = models.PositiveSmallIntegerField(null=True, blank=True)
    phone = models.CharField(max_length=16, blank=True)
    joined_on = models.DateField()
    left_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "code"], name="artisan_code_unique"
            ),
            models.UniqueConstraint(
                fields=["tenant", "workshop"],
                condition=Q(engagement="lead", left_on__isnull=True),
                name="one_lead_per_workshop",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_engagement_display()})"


class WorkshopSkill(TenantModel):
    """That a workshop holds a skill, at a level 1 (learning) to 5 (teaches others)."""

    workshop = TenantForeignKey(Workshop, models.CASCADE, related_name="skills")
    skill = TenantForeignKey(Skill, related_name="holders")
    level = models.PositiveSmallIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "workshop", "skill"], name="workshop_skill_unique"
            ),
            models.CheckConstraint(
                condition=Q(level__gte=1, level__lte=5), name="skill_level_1_to_5"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.skill} level {self.level}"


class CapacityPeriod(TenantModel):
    """Another weekly capacity between two dates, both included; 0 is a pause.

    Where periods overlap the one that was entered last counts.
    """

    workshop = TenantForeignKey(Workshop, models.CASCADE, related_name="periods")
    starts_on = models.DateField()
    ends_on = models.DateField()
    pieces_per_week = models.PositiveIntegerField()
    reason = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["starts_on"]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "ends_on"], name="capacity_by_end")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")), name="period_not_backwards"
            )
        ]

    def __str__(self) -> str:
        return (
            f"{self.workshop_id}: {self.pieces_per_week} a week from {self.starts_on}"
        )
