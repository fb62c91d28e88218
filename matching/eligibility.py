"""Who can take a work order at all, and for everybody else the reason, with numbers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from artisans.models import Workshop, WorkshopSkill
from matching.capacity import Calendar, Free
from matching.enums import Obstacle
from orders.enums import JOB_OPEN, JobState
from orders.models import Job, WorkOrder

REFUSED = (JobState.DECLINED, JobState.LAPSED)


@dataclass(frozen=True)
class Judgement:
    """Whether a workshop can take a work order, and what it has free before the due day.

    ``obstacle`` is None for an eligible workshop; otherwise ``detail`` says why not.
    """

    free: Free
    obstacle: Obstacle | None = None
    detail: str = ""


@dataclass(frozen=True)
class Network:
    """What eligibility looks at, read once for all work orders of a plan."""

    workshops: Sequence[Workshop]
    calendars: dict[int, Calendar]
    levels: dict[tuple[int, int], int]
    open_jobs: dict[tuple[int, int], Job]
    refused: dict[tuple[int, int], Job]


def read_network(
    workshops: Sequence[Workshop],
    calendars: dict[int, Calendar],
    work_orders: Sequence[WorkOrder],
) -> Network:
    """Skills and earlier jobs for these work orders. Two queries for any number."""
    skills = {one.component.skill_id for one in work_orders}
    held = WorkshopSkill.objects.filter(skill__in=skills)
    levels = {
        (workshop, skill): level
        for workshop, skill, level in held.values_list(
            "workshop_id", "skill_id", "level"
        )
    }
    open_jobs: dict[tuple[int, int], Job] = {}
    refused: dict[tuple[int, int], Job] = {}
    jobs = Job.objects.filter(
        work_order__in=work_orders, state__in=[*JOB_OPEN, *REFUSED]
    )
    for job in jobs.order_by("number"):
        place = refused if job.state in REFUSED else open_jobs
        place[job.work_order_id, job.workshop_id] = job
    return Network(workshops, calendars, levels, open_jobs, refused)


def judge(
    network: Network, work_order: WorkOrder, due_on: date
) -> dict[int, Judgement]:
    """A judgement on every workshop for one work order. No query.

    The first obstacle found is named, the most lasting one first: left, skill, level,
    job in hand, refused, paused, full.
    """
    return {
        workshop.pk: _judge_one(network, work_order, workshop, due_on)
        for workshop in network.workshops
    }


def _judge_one(
    network: Network, work_order: WorkOrder, workshop: Workshop, due_on: date
) -> Judgement:
    calendar = network.calendars[workshop.pk]
    skill = _skill(network, work_order, workshop, calendar.today)
    if skill:
        return Judgement(Free(0, 0, 0, due_on), *skill)
    free = calendar.free_by(due_on)
    earlier = _earlier_job(network, work_order, workshop)
    if earlier:
        return Judgement(free, *earlier)
    if free.pieces:
        return Judgement(free)
    pause = calendar.pause_until(due_on)
    if pause:
        why = f": {pause.reason}" if pause.reason else ""
        return Judgement(
            free,
            Obstacle.PAUSED,
            f"Paused {_day(pause.starts_on)} to {_day(pause.ends_on)}{why}.",
        )
    return Judgement(free, Obstacle.FULL, free_words(calendar, free, due_on))


def _skill(
    network: Network, work_order: WorkOrder, workshop: Workshop, today: date
) -> tuple[Obstacle, str] | None:
    if workshop.left_on and workshop.left_on <= today:
        return Obstacle.LEFT, f"Left the network on {_day(workshop.left_on)}."
    component = work_order.component
    level = network.levels.get((workshop.pk, component.skill_id or 0))
    if level is None:
        return Obstacle.SKILL, f"Does not hold {_name(work_order)}."
    if level < component.min_level:
        return (
            Obstacle.LEVEL,
            f"Level {level} in {_name(work_order)}; "
            f"{component.code} needs {component.min_level}.",
        )
    return None


def _name(work_order: WorkOrder) -> str:
    skill = work_order.component.skill
    return skill.name.lower() if skill else "the skill"


def _earlier_job(
    network: Network, work_order: WorkOrder, workshop: Workshop
) -> tuple[Obstacle, str] | None:
    key = work_order.pk, workshop.pk
    job = network.open_jobs.get(key)
    if job:
        return (
            Obstacle.OPEN_JOB,
            f"Job {job.number} of {job.quantity} pieces is {job.get_state_display()}.",
        )
    job = network.refused.get(key)
    if job is None:
        return None
    if job.state == JobState.LAPSED:
        return Obstacle.DECLINED, f"Did not answer job {job.number} in time."
    reason = f": {job.get_decline_reason_display()}" if job.decline_reason else ""
    return Obstacle.DECLINED, f"Declined job {job.number}{reason}."


def free_words(calendar: Calendar, free: Free, due_on: date) -> str:
    """Where the number of free pieces comes from, as a sentence."""
    if due_on <= calendar.today:
        return f"No working day is left before {_day(due_on)}."
    if not calendar.weekly and not free.can_make:
        return "States a capacity of 0 pieces a week."
    until = _day(free.until)
    if not free.promised:
        return f"Can make {_pieces(free.can_make)} until {until}, nothing promised."
    return (
        f"Can make {_pieces(free.can_make)} until {until} and has promised "
        f"{free.promised:,}."
    )


def _pieces(count: int) -> str:
    return f"{count:,} piece" if count == 1 else f"{count:,} pieces"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def by_day(calendar: Calendar, days: Sequence[date]) -> dict[int, int]:
    """Free pieces by each due day (as an ordinal), never falling from day to day."""
    found: dict[int, int] = defaultdict(int)
    for day in days:
        found[day.toordinal()] = calendar.free_by(day).pieces
    return dict(found)
