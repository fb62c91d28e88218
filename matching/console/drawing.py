"""What the plan page shows, gathered in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Value, When, Window
from django.db.models.functions import RowNumber

from matching.enums import (
    HARD_OBSTACLES,
    NEAR_OBSTACLES,
    Dimension,
    Obstacle,
    PlanState,
)
from matching.models import PassedOver, Plan, PlanWorkOrder, Proposal
from matching.scores import LEARNED, DimensionValue, percent
from orders.models import Order, WorkOrder
from vrp.console.formats import NOTHING, format_money
from vrp.console.templatetags import ui

# Passed-over workshops shown on the plan page for each work order; the rest has a page.
NEAREST = 40
SIBLINGS = 6
# Height of the small drawing in pixels, and the width of one of its columns.
SMALL_HEIGHT, SMALL_STEP = 34, 22
# Closer to the network than this is drawn as alike (share of 1).
NEAR = 0.02
NEVER_MIND = (Obstacle.SKILL, Obstacle.LEFT)


@dataclass
class WorkRow:
    """One work order of the plan with all that is said about it."""

    row: PlanWorkOrder
    proposals: list[Proposal] = field(default_factory=list)
    nearest: list[PassedOver] = field(default_factory=list)
    obstacles: list[dict[str, Any]] = field(default_factory=list)
    typed: dict[int, str] = field(default_factory=dict)
    error: str = ""
    reason: str = ""

    @property
    def work_order(self) -> WorkOrder:
        return self.row.work_order

    @property
    def placed(self) -> int:
        return sum(one.quantity for one in self.proposals)

    @property
    def passed(self) -> int:
        return sum(one["count"] for one in self.obstacles)

    @property
    def pay_minor(self) -> int:
        """What the proposed pieces earn, in the tenant's currency."""
        return self.placed * self.work_order.component.piece_rate_minor


def five(kept: dict[str, Any]) -> list[DimensionValue]:
    """The dimensions as a proposal keeps them, in their fixed order."""
    return [
        DimensionValue.from_json(one.value, kept[one.value])
        for one in Dimension
        if one.value in kept
    ]


def small(values: Iterable[DimensionValue]) -> list[dict[str, Any]]:
    """Five columns for ``_dimensions_small.html``: where each is drawn, in pixels.

    ``tone`` compares with the network (above, near, below); ``unproven`` columns are
    drawn hollow: they stand at the network's mean for want of any history.
    """
    return [_column(index, one) for index, one in enumerate(values)]


def _column(index: int, one: DimensionValue) -> dict[str, Any]:
    value, network = one.value or 0.0, one.network
    apart = value - network if network is not None else 0.0
    near = abs(apart) < NEAR
    return {
        "label": one.label,
        "letter": one.label[0],
        "x": index * SMALL_STEP,
        "right": index * SMALL_STEP + SMALL_STEP - 8,
        "middle": index * SMALL_STEP + 8,
        "measured": one.value is not None,
        "unproven": one.dimension in LEARNED and not one.n,
        "tone": "near" if near else "above" if apart > 0 else "below",
        "y": f"{SMALL_HEIGHT * (1 - value):.1f}",
        "height": f"{SMALL_HEIGHT * value:.1f}",
        "network": None if network is None else f"{SMALL_HEIGHT * (1 - network):.1f}",
        "words": "not measured" if one.value is None else _words(one),
    }


def _words(one: DimensionValue) -> str:
    text = percent(one.value or 0.0)
    if one.low is not None and one.high is not None and one.high > one.low:
        text += f" (likely {percent(one.low)} to {percent(one.high)})"
    if one.network is not None:
        text += f", network {percent(one.network)}"
    return f"{text}, n = {one.n}"


def work_rows(plan: Plan) -> list[WorkRow]:
    """The plan's work orders with proposals and those passed over. Four queries."""
    rows = plan.rows.select_related(
        "work_order__component", "work_order__line__order"
    ).order_by("due_on", "work_order_id")
    found = {row.work_order_id: WorkRow(row) for row in rows}
    proposals = plan.proposals.select_related("workshop", "job", "edited_by")
    for one in proposals.order_by("-quantity", "-score", "id"):
        one.plan = plan
        one.small = small(five(one.dimensions))  # type: ignore[attr-defined]
        found[one.work_order_id].proposals.append(one)
    for passed in nearest(plan):
        passed.may_add = passed.obstacle not in HARD_OBSTACLES  # type: ignore[attr-defined]
        found[passed.work_order_id].nearest.append(passed)
    counts = plan.passed_over.order_by().values_list("work_order_id", "obstacle")
    for work_order, obstacle, count in counts.annotate(count=Count("id")):
        found[work_order].obstacles.append(
            {
                "obstacle": obstacle,
                "label": Obstacle(obstacle).label,
                "value": count,
                "count": count,
            }
        )
    for work in found.values():
        work.obstacles.sort(key=lambda each: Obstacle.values.index(each["obstacle"]))
    return list(found.values())


def nearest(plan: Plan) -> Iterable[PassedOver]:
    """For each work order the passed-over workshops that came closest to getting work."""
    near = Case(
        When(obstacle__in=NEAR_OBSTACLES, then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )
    order = [F("near").asc(), F("score").desc(nulls_last=True), F("workshop_id").asc()]
    return (
        plan.passed_over.exclude(obstacle__in=NEVER_MIND)
        .annotate(near=near)
        .annotate(
            place=Window(RowNumber(), partition_by=[F("work_order_id")], order_by=order)
        )
        .filter(place__lte=NEAREST)
        .select_related("workshop")
        .order_by("work_order_id", "place")
    )


def summary(rows: Sequence[WorkRow], currency: str) -> dict[str, Any]:
    """The figures at the head of the page, ready to be shown."""
    proposals = [one for row in rows for one in row.proposals]
    pieces = sum(one.quantity for one in proposals)
    weighed = sum(one.quantity * one.score for one in proposals)
    needed = sum(row.row.quantity for row in rows)
    jobs = len(proposals)
    pay = format_money(sum(row.pay_minor for row in rows), currency)
    return {
        "placed": pieces,
        "needed_words": f"of {needed:,} pieces",
        "short": sum(row.row.short for row in rows),
        "jobs": jobs,
        "jobs_words": "1 job" if jobs == 1 else f"{jobs:,} jobs",
        "workshops": len({one.workshop_id for one in proposals}),
        "score_words": str(round(100 * weighed / pieces)) if pieces else NOTHING,
        "pay_words": pay.removeprefix(f"{currency} "),
        "pay_detail": f"{currency}, if every piece is accepted",
    }


def plan_facts(plan: Plan) -> list[dict[str, Any]]:
    """The rules of the plan, and who asked for it."""
    rows: list[dict[str, Any]] = [
        {"label": "Fairness", "value": str(plan.fairness), "note": "0 best, 1 even"},
        {"label": "Lots", "value": f"{plan.min_lot:,} to {plan.max_lot:,} pieces"},
        {"label": "Asked by", "value": str(plan.made_by or "the system")},
        {"label": "Asked", "value": ui.when(plan.created_at)},
    ]
    if plan.due_on:
        rows.insert(2, {"label": "Due", "value": ui.when(plan.due_on)})
    if plan.finished_at:
        rows.append({"label": "Computed", "value": ui.when(plan.finished_at)})
    rows.append({"label": "Seed", "value": str(plan.seed), "note": "orders ties"})
    if plan.score_version:
        rows.append({"label": "Scores", "value": plan.score_version})
    return rows


def proposal_facts(one: Proposal) -> list[dict[str, Any]]:
    """What else there is to know of one proposal."""
    component = one.work_order.component
    pay = one.quantity * component.piece_rate_minor
    rows: list[dict[str, Any]] = [
        {"label": "Score", "value": f"{one.score * 100:.1f}", "note": "of 100"},
        {
            "label": "Pieces",
            "value": f"{one.quantity:,}",
            "note": f"of {one.free:,} free",
        },
        {"label": "Pays", "value": format_money(pay, one.plan.tenant.currency)},
        {"label": "Area", "value": one.workshop.area.name},
    ]
    if one.job is not None:
        job = one.job
        rows.append(
            {
                "label": "Job",
                "value": f"Job {job.number}",
                "url": f"/ops/jobs/{job.pk}/",
            }
        )
    return rows


def orders_of(rows: Sequence[WorkRow]) -> list[Order]:
    """The orders a plan is for, each once."""
    found = {row.work_order.line.order_id: row.work_order.line.order for row in rows}
    return list(found.values())


@dataclass
class Sibling:
    """Another plan for the same work: what it would do differently."""

    plan: Plan
    pieces: int = 0
    score: int | None = None
    workshops: int = 0
    instead: str = ""


def siblings(plan: Plan, rows: Sequence[WorkRow]) -> list[Sibling]:
    """Other plans that may still be released for this work. Two queries."""
    others = list(
        Plan.objects.filter(
            state=PlanState.READY,
            rows__work_order__in=[row.row.work_order_id for row in rows],
        )
        .exclude(pk=plan.pk)
        .distinct()
        .order_by("-number")[:SIBLINGS]
    )
    if not others:
        return []
    kept: dict[int, list[Proposal]] = defaultdict(list)
    for one in Proposal.objects.filter(plan__in=others).select_related("workshop"):
        kept[one.plan_id].append(one)
    mine = {one.workshop.code for row in rows for one in row.proposals}
    return [_sibling(other, kept[other.pk], mine) for other in others]


def _sibling(other: Plan, proposals: list[Proposal], mine: set[str]) -> Sibling:
    pieces = sum(one.quantity for one in proposals)
    weighed = sum(one.quantity * one.score for one in proposals)
    theirs = {one.workshop.code for one in proposals}
    gone, new = sorted(mine - theirs), sorted(theirs - mine)
    words = []
    if new:
        words.append(f"with {_some(new)}")
    if gone:
        words.append(f"without {_some(gone)}")
    return Sibling(
        other,
        pieces,
        round(100 * weighed / pieces) if pieces else None,
        len(theirs),
        ", ".join(words) or "the same workshops",
    )


def _some(codes: list[str]) -> str:
    shown = ", ".join(codes[:4])
    return shown if len(codes) <= 4 else f"{shown} and {len(codes) - 4} more"
