"""The life of an order as pictures: its steps, each component, what happened."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from orders.enums import (
    JOB_AT_WORKSHOP,
    JobState,
    LineStage,
    OrderState,
    WorkOrderState,
)
from orders.models import Job, Order, OrderLine, PartNeed, WorkOrder
from orders.queries import stock_of
from orders.services.stock import CONSUMED
from vrp.console.history import event_rows
from vrp.events.models import Event

# A page shows so many jobs and events; the rest is one click away.
SHOWN_JOBS = 200
SHOWN_EVENTS = 40
RETURNED = (JobState.DECLINED, JobState.LAPSED)
DONE_AT_HQ = {
    "assembled": (
        LineStage.ASSEMBLED,
        LineStage.FINISHED,
        LineStage.PACKED,
        LineStage.SHIPPED,
    ),
    "packed": (LineStage.PACKED, LineStage.SHIPPED),
    "shipped": (LineStage.SHIPPED,),
}


@dataclass
class MadePart:
    """A work order and where its pieces are. The counts grow towards ``needed``."""

    work_order: WorkOrder
    jobs: list[Job] = field(default_factory=list)

    @property
    def needed(self) -> int:
        return self.work_order.quantity

    @property
    def offered(self) -> int:
        """Pieces placed with somebody, answered or not."""
        return self.work_order.placed

    @property
    def accepted(self) -> int:
        return self.work_order.accepted

    @property
    def made(self) -> int:
        """Reported made or delivered, less what was scrapped."""
        return sum(max(job.made, job.delivered) - job.scrapped for job in self.jobs)

    @property
    def delivered(self) -> int:
        return sum(job.delivered - job.scrapped for job in self.jobs)

    @property
    def good(self) -> int:
        return self.work_order.good

    @property
    def scrapped(self) -> int:
        return sum(job.scrapped for job in self.jobs)

    @property
    def short(self) -> int:
        """Pieces that nobody is asked for: what a planner has to place."""
        if self.work_order.state == WorkOrderState.CANCELLED:
            return 0
        return self.work_order.open_quantity

    @property
    def returned(self) -> list[Job]:
        """Offers that came back while pieces are still short."""
        return [job for job in self.jobs if job.state in RETURNED] if self.short else []

    def picture(self) -> list[dict[str, Any]]:
        """Where the needed pieces are, for ``{% split_bar %}``; adds up to ``needed``."""
        waiting = sum(j.quantity for j in self.jobs if j.state == JobState.OFFERED)
        parts = [
            ("graded good", self.good, "aa"),
            ("being graded or mended", self.delivered - self.good, "a"),
            ("made, not delivered", self.made - self.delivered, "brass"),
            ("accepted, to be made", self.accepted - self.made, "waiting"),
            ("offered, no answer yet", waiting, "neutral"),
            ("with nobody", self.short, "bad"),
        ]
        if self.work_order.state == WorkOrderState.CANCELLED:
            parts.append(("cancelled", self.work_order.open_quantity, "neutral"))
        return [
            {"label": label, "value": value, "tone": tone}
            for label, value, tone in parts
            if value > 0
        ]


@dataclass
class LineLife:
    """One order line with its parts."""

    line: OrderLine
    made: list[MadePart] = field(default_factory=list)
    bought: list[PartNeed] = field(default_factory=list)


@dataclass
class OrderLife:
    """Everything the order page draws; a fixed number of queries."""

    order: Order
    lines: list[LineLife]
    jobs: list[Job]

    @property
    def parts(self) -> list[MadePart]:
        return [part for line in self.lines for part in line.made]

    @property
    def short(self) -> int:
        """Pieces that nobody is asked for, all components together."""
        return sum(part.short for part in self.parts)

    @property
    def returned(self) -> list[Job]:
        return [job for part in self.parts for job in part.returned]

    @property
    def shortages(self) -> list[PartNeed]:
        return [need for line in self.lines for need in line.bought if need.shortage]

    @property
    def holds_work(self) -> bool:
        """Whether a workshop has an offer or a job: then it cannot be cancelled."""
        return any(part.offered for part in self.parts)


def order_life(order: Order) -> OrderLife:
    """Read an order's lines, parts and jobs. Five queries for any number of them."""
    lines = {
        row.pk: LineLife(row)
        for row in order.lines.select_related("product").order_by("number")
    }
    parts: dict[int, MadePart] = {}
    work_orders = WorkOrder.objects.filter(line__order=order)
    for row in work_orders.select_related("component").order_by("component__code"):
        parts[row.pk] = MadePart(row)
        lines[row.line_id].made.append(parts[row.pk])
    jobs = list(
        Job.objects.filter(work_order__line__order=order)
        .select_related("workshop", "work_order__component")
        .order_by("work_order__component__code", "number")
    )
    for job in jobs:
        parts[job.work_order_id].jobs.append(job)
    needs = list(PartNeed.objects.filter(line__order=order).select_related("component"))
    stock = stock_of(sorted({need.component_id for need in needs}))
    kept: Counter[int] = Counter()
    for need in needs:
        if lines[need.line_id].line.stage not in CONSUMED:
            kept[need.component_id] += need.reserved
    for need in needs:
        need.on_hand = stock[need.component_id]  # type: ignore[attr-defined]
        # What the store holds beyond this order's own reservations is for others.
        need.elsewhere = max(  # type: ignore[attr-defined]
            0, stock[need.component_id] - kept[need.component_id]
        )
        need.used = lines[need.line_id].line.stage in CONSUMED  # type: ignore[attr-defined]
        lines[need.line_id].bought.append(need)
    return OrderLife(order, list(lines.values()), jobs)


def steps(life: OrderLife) -> list[dict[str, Any]]:
    """The order's way from the buyer to the door, for ``{% flow %}``."""
    order, parts = life.order, life.parts
    pieces = sum(one.line.quantity for one in life.lines)
    needed = sum(part.needed for part in parts)

    def at_hq(name: str) -> int:
        done = DONE_AT_HQ[name]
        return sum(one.line.quantity for one in life.lines if one.line.stage in done)

    bought_short = sum(need.shortage for need in life.shortages)
    counted = [
        ("Planned", sum(part.offered for part in parts), needed),
        ("Accepted", sum(part.accepted for part in parts), needed),
        ("Made", sum(part.made for part in parts), needed),
        ("Delivered", sum(part.delivered for part in parts), needed),
        ("Graded", sum(part.good for part in parts), needed),
        ("Assembled", at_hq("assembled"), pieces),
        ("Packed", at_hq("packed"), pieces),
        ("Shipped", at_hq("shipped"), pieces),
    ]
    drawn = [{"label": "Placed", "state": "done", "at": order.placed_at}]
    before_full = True
    for label, count, of in counted:
        full = count >= of
        blocked = (label == "Planned" and bool(life.returned)) or (
            label == "Assembled" and bool(bought_short) and not full
        )
        state = "done" if full else "now" if count or before_full else "waiting"
        if order.state == OrderState.CANCELLED and not full:
            state, blocked = "waiting", False
        step: dict[str, Any] = {
            "label": label,
            "state": "blocked" if blocked else state,
            "detail": "all" if full else f"{count:,} of {of:,}",
            "count": count,
            "of": of,
        }
        if label == "Assembled" and blocked:
            step["detail"] = f"{bought_short:,} parts to buy"
        if label == "Shipped" and order.shipped_at:
            step["at"], step["detail"] = order.shipped_at, ""
        drawn.append(step)
        before_full = full
    return drawn


def happened(life: OrderLife) -> list[dict[str, Any]]:
    """The newest events of the order, its lines and its jobs. One query."""
    jobs = {job.pk: job for job in life.jobs}
    lines = {one.line.pk: one.line for one in life.lines}
    work_orders = {part.work_order.pk: part.work_order for part in life.parts}
    subjects = (
        Q(subject_type="order", subject_id=life.order.pk)
        | Q(subject_type="orderline", subject_id__in=list(lines))
        | Q(subject_type="workorder", subject_id__in=list(work_orders))
        | Q(subject_type="job", subject_id__in=list(jobs))
    )
    events = list(Event.objects.filter(subjects).order_by("-id")[:SHOWN_EVENTS])
    rows = event_rows(events)
    for event, row in zip(events, rows, strict=True):
        if event.subject_type == "job" and event.subject_id in jobs:
            job = jobs[event.subject_id]
            row["title"] = f"{row['title']}: {job.workshop.code}, job {job.number}"
            row["url"] = f"/ops/jobs/{job.pk}/"
        elif event.subject_type == "workorder":
            code = work_orders[event.subject_id].component.code
            row["title"] = f"All {code} are graded good"
        elif event.subject_type == "orderline":
            line = lines[event.subject_id]
            stage = event.data.get("stage") or event.name.partition(".")[2]
            stage = str(stage).replace("_", " ")
            row["title"] = f"{line.product.sku} {stage}"
            row["detail"] = ""
    return rows


def by_component(life: OrderLife) -> list[dict[str, Any]]:
    """Jobs in groups by component, those that need somebody first; at most 200."""
    groups: dict[str, dict[str, Any]] = defaultdict(lambda: {"jobs": []})
    for job in life.jobs[:SHOWN_JOBS]:
        component = job.work_order.component
        groups[component.code]["component"] = component
        groups[component.code]["jobs"].append(job)
    for group in groups.values():
        group["jobs"].sort(key=lambda job: (_rank(job), job.number))
    return list(groups.values())


def _rank(job: Job) -> int:
    if job.state in JOB_AT_WORKSHOP:
        return 0
    order = (JobState.OFFERED, JobState.DELIVERED, JobState.DONE)
    return order.index(JobState(job.state)) + 1 if job.state in order else 9
