"""Reads of this room: the five dimensions, and what waits to be planned."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.db.models import Exists, F, OuterRef, QuerySet, Sum
from django.utils import timezone

from artisans.models import CapacityPeriod, Workshop
from matching import scores
from matching.capacity import Calendar, Period
from matching.enums import PLAN_LIVE, Answer, Dimension
from matching.history import Observed, observe
from matching.models import JobRecord, PlanWorkOrder
from matching.scores import Counts, DimensionValue
from orders.enums import JobState, WorkOrderState
from orders.models import Job, WorkOrder
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import active_tenant

# States in which pieces of a job are still to be made.
JOB_LOAD = (JobState.OFFERED, JobState.ACCEPTED, JobState.IN_PROGRESS)
# Work had lately, for fairness: some four batches of two weeks (facts A19).
LATELY_DAYS = 56


@dataclass(frozen=True)
class Score:
    """One workshop's score 0..1 and the five dimensions it is made of."""

    value: float
    dimensions: dict[Dimension, DimensionValue]

    def as_list(self) -> list[DimensionValue]:
        """In the order in which they are always shown."""
        return [self.dimensions[one] for one in Dimension]


def five_dimensions(
    workshop: Workshop, now: datetime | None = None
) -> list[DimensionValue]:
    """The five grades of one workshop, in their fixed order. Three queries."""
    return workshop_scores([workshop], now=now)[workshop.pk].as_list()


def workshop_scores(
    workshops: Iterable[Workshop],
    *,
    now: datetime | None = None,
    calendars: dict[int, Calendar] | None = None,
) -> dict[int, Score]:
    """Score by workshop id as known at ``now``; three queries for any number.

    History is counted over the whole network, because each workshop is shrunk to the
    network's mean. ``calendars`` saves two queries where a caller has them already.
    """
    now = now or timezone.now()
    rows = list(workshops)
    if calendars is None:
        calendars = workshop_calendars(rows, timezone.localdate(now))
    learned = _learned(observe(_tenant(), now), [one.pk for one in rows])
    free = _availability({one.pk: calendars[one.pk] for one in rows})
    found = {}
    for index, workshop in enumerate(rows):
        dimensions = {name: values[index] for name, values in learned.items()}
        dimensions[Dimension.AVAILABILITY] = free[workshop.pk]
        found[workshop.pk] = Score(scores.combine(dimensions), dimensions)
    return found


def _tenant() -> Tenant:
    tenant = active_tenant()
    if tenant is None:
        raise RuntimeError("No tenant is active.")
    return tenant


def _learned(
    history: dict[Dimension, dict[int, Observed]], wanted: list[int]
) -> dict[Dimension, list[DimensionValue]]:
    """Shrink over everybody with history, and pick the wanted workshops."""
    window = f"last {scores.WINDOW_DAYS} days"
    result: dict[Dimension, list[DimensionValue]] = {}
    for dimension, rows in history.items():
        everybody = sorted(set(rows) | set(wanted))
        place = {workshop: index for index, workshop in enumerate(everybody)}
        seen = [rows.get(one, Observed()) for one in everybody]
        shrunk = scores.shrink(
            Counts(
                np.array([one.n for one in seen], dtype=float),
                np.array([one.total for one in seen], dtype=float),
                np.array([one.squares for one in seen], dtype=float),
            )
        )
        result[dimension] = [
            DimensionValue(
                dimension,
                None if shrunk.network is None else float(shrunk.value[place[one]]),
                None if shrunk.network is None else float(shrunk.low[place[one]]),
                None if shrunk.network is None else float(shrunk.high[place[one]]),
                seen[place[one]].n,
                shrunk.network,
                window,
            )
            for one in wanted
        ]
    return result


def _availability(calendars: dict[int, Calendar]) -> dict[int, DimensionValue]:
    """Counted, not estimated: its range is the value itself."""
    window = f"next {scores.AHEAD_DAYS} days"
    shares = {pk: one.open_share(scores.AHEAD_DAYS) for pk, one in calendars.items()}
    measured = [share for share, _ in shares.values() if share is not None]
    network = sum(measured) / len(measured) if len(measured) > 1 else None
    return {
        pk: DimensionValue(
            Dimension.AVAILABILITY, share, share, share, days, network, window
        )
        for pk, (share, days) in shares.items()
    }


def workshop_calendars(
    workshops: Iterable[Workshop], today: date
) -> dict[int, Calendar]:
    """Capacity and promised work by workshop id. Two queries for any number."""
    rows = list(workshops)
    ids = [one.pk for one in rows] if len(rows) < 200 else None
    periods: dict[int, list[Period]] = defaultdict(list)
    entered = CapacityPeriod.objects.filter(ends_on__gt=today)
    jobs = Job.objects.filter(state__in=JOB_LOAD)
    if ids is not None:
        entered, jobs = (
            entered.filter(workshop__in=ids),
            jobs.filter(workshop__in=ids),
        )
    for one in entered.order_by("created_at", "pk"):
        periods[one.workshop_id].append(
            Period(one.starts_on, one.ends_on, one.pieces_per_week, one.reason)
        )
    load: dict[int, list[tuple[date, int]]] = defaultdict(list)
    sums = jobs.order_by().values_list("workshop_id", "due_on")
    for workshop, due, pieces in sums.annotate(
        pieces=Sum(F("quantity") - F("delivered"))
    ):
        load[workshop].append((due, pieces))
    return {
        one.pk: Calendar(
            today, one.capacity_per_week, tuple(periods[one.pk]), tuple(load[one.pk])
        )
        for one in rows
    }


def lately_had(now: datetime) -> dict[int, int]:
    """Pieces offered in the last weeks and not refused, by workshop. One query."""
    since = now - timedelta(days=LATELY_DAYS)
    rows = (
        JobRecord.objects.filter(offered_at__gt=since, offered_at__lte=now)
        .exclude(answer__in=[Answer.DECLINED, Answer.SILENT])
        .order_by()
        .values_list("workshop_id")
        .annotate(pieces=Sum("quantity"))
    )
    return dict(rows)


def open_work_orders() -> QuerySet[WorkOrder]:
    """Work orders with pieces that no job covers."""
    return WorkOrder.objects.filter(state=WorkOrderState.OPEN, quantity__gt=F("placed"))


def work_to_plan() -> QuerySet[WorkOrder]:
    """Open work that no queued, running or ready plan covers; what a planner starts on."""
    planned = PlanWorkOrder.objects.filter(
        work_order=OuterRef("pk"), plan__state__in=PLAN_LIVE
    )
    return open_work_orders().exclude(Exists(planned))


def returned_offers() -> QuerySet[Job]:
    """Offers declined or not answered whose pieces still wait for somebody."""
    return Job.objects.filter(
        state__in=(JobState.DECLINED, JobState.LAPSED),
        work_order__in=work_to_plan(),
    )
