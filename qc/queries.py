"""Reads of the grading room that more than one place needs."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet, Sum

from artisans.models import Workshop
from orders.models import Component
from qc.enums import BatchKind, BatchState, DefectClass, Grade, TicketState
from qc.models import Batch, Defect, Inspection, ItemGrade, ReworkTicket


@dataclass(frozen=True)
class Rejection:
    """How much of what came in was sent back.

    ``rate`` is (rework + scrap) / inspected, 0..1, at the first inspection only: a piece
    that returns is not counted a second time (facts A46, C1). ``consistency_b`` pieces
    are graded B for differing from their batch; they are accepted, not rejected. ``rate``
    is None when nothing was inspected.
    """

    inspected: int
    rejected: int
    consistency_b: int

    @property
    def rate(self) -> float | None:
        return self.rejected / self.inspected if self.inspected else None


def rejection_rate(
    *,
    workshop: Workshop | None = None,
    component: Component | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Rejection:
    """Rejection of one workshop, one component or everything, graded in [since, until)."""
    firsts = Inspection.objects.filter(batch__kind=BatchKind.FIRST)
    if workshop is not None:
        firsts = firsts.filter(batch__job__workshop=workshop)
    if component is not None:
        firsts = firsts.filter(batch__job__work_order__component=component)
    if since is not None:
        firsts = firsts.filter(at__gte=since)
    if until is not None:
        firsts = firsts.filter(at__lt=until)
    sums = firsts.aggregate(**{grade.value: Sum(grade.value) for grade in Grade})
    counts = {name: value or 0 for name, value in sums.items()}
    consistency_b = ItemGrade.objects.filter(
        inspection__in=firsts,
        grade=Grade.B,
        defect__defect_class=DefectClass.CONSISTENCY,
    ).count()
    return Rejection(
        inspected=sum(counts.values()),
        rejected=counts[Grade.REWORK] + counts[Grade.SCRAP],
        consistency_b=consistency_b,
    )


@dataclass(frozen=True)
class GradeRow:
    """So many pieces of an inspection with one grade and one defect (or none)."""

    grade: Grade
    defect: Defect | None
    count: int


def grade_rows(inspection: Inspection) -> list[GradeRow]:
    """What an inspection found, in the order of the grades, commonest defect first."""
    found = (
        ItemGrade.objects.filter(inspection=inspection)
        .values("grade", "defect_id")
        .annotate(pieces=Count("id"))
    )
    rows = list(found)
    defects = Defect.objects.in_bulk([row["defect_id"] for row in rows])
    drawn = [
        GradeRow(Grade(row["grade"]), defects.get(row["defect_id"]), row["pieces"])
        for row in rows
    ]
    return sorted(
        drawn,
        key=lambda row: (
            Grade.values.index(row.grade),
            -row.count,
            row.defect.code if row.defect else "",
        ),
    )


def top_defect(inspection: Inspection, grade: Grade = Grade.REWORK) -> Defect | None:
    """The commonest reason for a grade: the one an SMS has room for."""
    for row in grade_rows(inspection):
        if row.grade == grade:
            return row.defect
    return None


def batches_to_grade() -> QuerySet[Batch]:
    """Open batches, the one that waits longest first."""
    return Batch.objects.filter(state=BatchState.OPEN).order_by("opened_at", "id")


def open_tickets() -> QuerySet[ReworkTicket]:
    """Rework that is at the workshops, the one due first in front."""
    return ReworkTicket.objects.filter(state=TicketState.OPEN).order_by("due_on", "id")
