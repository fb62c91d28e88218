"""Computing a plan: gather, score, solve, explain. Reads only; ``services`` writes."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils import timezone

from artisans.models import Workshop
from matching import reasons
from matching.allocation import Allocation, Lot, Maker, Rules, allocate
from matching.eligibility import Judgement, by_day, free_words, judge, read_network
from matching.enums import Obstacle
from matching.models import PassedOver, Plan, PlanWorkOrder, Proposal
from matching.queries import Score, lately_had, workshop_calendars, workshop_scores
from matching.reasons import Lowest
from matching.sharing import Cut, Load

# Says how far the work is: per cent and what is being done.
Progress = Callable[[int, str], None]
SOLVER_SECONDS = 15.0


@dataclass
class Result:
    """What a plan will hold; nothing of it is saved yet."""

    rows: list[PlanWorkOrder]
    proposals: list[Proposal] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)
    solver: str = ""


@dataclass
class _Work:
    """Everything known about one plan while it is computed."""

    plan: Plan
    rows: list[PlanWorkOrder]
    workshops: dict[int, Workshop]
    scores: dict[int, Score]
    makers: dict[int, Maker]
    judgements: dict[int, dict[int, Judgement]]
    words: Callable[[int, int], str]
    rules: Rules

    def eligible(self, work_order: int) -> list[int]:
        """Workshop ids that can take a work order, best score first."""
        found = [
            one
            for one, judged in self.judgements[work_order].items()
            if judged.obstacle is None
        ]
        return sorted(found, key=lambda one: (-self.scores[one].value, one))


def compute(plan: Plan, progress: Progress) -> Result:
    """Compute the plan's proposals from what is true now. A bounded number of queries."""
    progress(5, "Gathering workshops, skills and capacity")
    rows = _open_rows(plan)
    if not rows:
        return Result(rows=[], solver="Nothing was open any more.")
    work = _gather(plan, rows, progress)
    lots = [Lot(row.work_order_id, row.quantity, _due(row).toordinal()) for row in rows]
    pairs = {
        (row.work_order_id, workshop): work.scores[workshop].value
        for row in rows
        for workshop in work.eligible(row.work_order_id)
    }
    workshops = {workshop for _, workshop in pairs}
    progress(50, f"Splitting {len(lots)} work orders over {len(workshops)} workshops")
    makers = [work.makers[one] for one in sorted(workshops)]
    found = allocate(lots, makers, pairs, work.rules)
    progress(80, "Writing down the reasons")
    return _explain(work, found)


def _open_rows(plan: Plan) -> list[PlanWorkOrder]:
    """The plan's rows with the quantity that is open now; closed work falls out."""
    rows = plan.rows.select_related(
        "work_order__component__skill", "work_order__line__order"
    ).order_by("work_order_id")
    found = []
    for row in rows:
        row.quantity = max(row.work_order.open_quantity, 0)
        row.due_on = plan.due_on or row.work_order.due_on
        if row.work_order.state == "open" and row.quantity:
            found.append(row)
    return found


def _due(row: PlanWorkOrder) -> date:
    return row.due_on or row.work_order.due_on


def _gather(plan: Plan, rows: list[PlanWorkOrder], progress: Progress) -> _Work:
    now = timezone.now()
    today = timezone.localdate(now)
    workshops = list(Workshop.objects.order_by("pk"))
    calendars = workshop_calendars(workshops, today)
    network = read_network(workshops, calendars, [row.work_order for row in rows])
    judgements = {
        row.work_order_id: judge(network, row.work_order, _due(row)) for row in rows
    }
    progress(25, f"Scoring {len(workshops):,} workshops on their history")
    scored = workshop_scores(workshops, now=now, calendars=calendars)
    had = lately_had(now)
    days = sorted({_due(row) for row in rows})
    due_of = {row.work_order_id: _due(row) for row in rows}

    def words(workshop: int, work_order: int) -> str:
        calendar = calendars[workshop]
        free = judgements[work_order][workshop].free
        return free_words(calendar, free, due_of[work_order])

    return _Work(
        plan,
        rows,
        {one.pk: one for one in workshops},
        scored,
        {
            one.pk: Maker(
                one.pk,
                by_day(calendars[one.pk], days),
                max(one.capacity_per_week, 1),
                had.get(one.pk, 0),
            )
            for one in workshops
        },
        judgements,
        words,
        Rules(
            plan.min_lot,
            plan.max_lot,
            float(plan.fairness),
            plan.seed,
            SOLVER_SECONDS,
        ),
    )


def _explain(work: _Work, found: Allocation) -> Result:
    result = Result(work.rows, solver=_solver_words(found))
    given: dict[int, list[tuple[date, int]]] = defaultdict(list)
    chosen: dict[int, dict[int, int]] = defaultdict(dict)
    due_of = {row.work_order_id: _due(row) for row in work.rows}
    for one in found.placements:
        given[one.workshop].append((due_of[one.lot], one.quantity))
        chosen[one.lot][one.workshop] = one.quantity
    notes = {(one.lot, one.workshop): one.reason for one in found.placements}
    for row in work.rows:
        eligible = work.eligible(row.work_order_id)
        row.eligible = len(eligible)
        row.short = found.short[row.work_order_id]
        judged = work.judgements[row.work_order_id]
        row.why_short = reasons.for_shortage(
            row.short,
            row.quantity,
            {one: judged[one].free.pieces for one in eligible},
            work.rules,
            f"{_due(row).day} {_due(row):%b}",
        )
        result.proposals += _proposals(
            work, row, eligible, chosen[row.work_order_id], given, notes, found
        )
        result.passed_over += _passed_over(
            work, row, chosen[row.work_order_id], given, found
        )
    return result


def _proposals(
    work: _Work,
    row: PlanWorkOrder,
    eligible: Sequence[int],
    chosen: dict[int, int],
    given: dict[int, list[tuple[date, int]]],
    notes: dict[tuple[int, int], str],
    found: Allocation,
) -> list[Proposal]:
    made = []
    for rank, workshop in enumerate(eligible, start=1):
        if workshop not in chosen:
            continue
        score = work.scores[workshop]
        lines = reasons.for_proposal(
            score,
            rank,
            len(eligible),
            work.words(workshop, row.work_order_id),
            _load(work, workshop, chosen[workshop], given, found),
            Cut(
                row.quantity,
                len(chosen),
                row.short,
                _left(work.makers[workshop], given[workshop], _due(row)),
            ),
            work.rules,
        )
        made.append(
            Proposal(
                tenant_id=work.plan.tenant_id,
                plan=work.plan,
                work_order_id=row.work_order_id,
                workshop_id=workshop,
                quantity=chosen[workshop],
                score=score.value,
                dimensions={
                    name.value: value.as_json()
                    for name, value in score.dimensions.items()
                },
                reasons=lines,
                free=work.judgements[row.work_order_id][workshop].free.pieces,
                override_reason=notes[row.work_order_id, workshop],
            )
        )
    return made


def _passed_over(
    work: _Work,
    row: PlanWorkOrder,
    chosen: dict[int, int],
    given: dict[int, list[tuple[date, int]]],
    found: Allocation,
) -> list[PassedOver]:
    """A row with its reason for every workshop that got nothing of this work order."""
    lowest = _lowest(work, chosen, given, found)
    made = []
    for workshop, judged in work.judgements[row.work_order_id].items():
        if workshop in chosen:
            continue
        obstacle, detail = judged.obstacle, judged.detail
        if obstacle is None:
            left = _left(work.makers[workshop], given[workshop], _due(row))
            like = min(lowest.quantity, left) if lowest else 0
            obstacle, detail = reasons.for_passed_over(
                work.scores[workshop].value,
                judged.free.pieces,
                left,
                lowest,
                _load(work, workshop, like, given, found, holds=False),
                work.rules,
            )
        made.append(_passed(work, row, workshop, judged, obstacle, detail))
    return made


def _lowest(
    work: _Work,
    chosen: dict[int, int],
    given: dict[int, list[tuple[date, int]]],
    found: Allocation,
) -> Lowest | None:
    if not chosen:
        return None
    counts = {
        one: work.scores[one].value
        - _load(work, one, pieces, given, found).lost(work.rules)
        for one, pieces in chosen.items()
    }
    least = min(counts, key=lambda one: (counts[one], one))
    score = min(work.scores[one].value for one in chosen)
    return Lowest(score, counts[least], chosen[least])


def _load(
    work: _Work,
    workshop: int,
    lot: int,
    given: dict[int, list[tuple[date, int]]],
    found: Allocation,
    *,
    holds: bool = True,
) -> Load:
    """A lot against the fair share; ``holds`` says that the plan gives it the lot."""
    new = sum(pieces for _, pieces in given[workshop])
    had = round(work.makers[workshop].had)
    return Load(had, new - lot if holds else new, lot, found.shares[workshop])


def _passed(
    work: _Work,
    row: PlanWorkOrder,
    workshop: int,
    judged: Judgement,
    obstacle: Obstacle,
    detail: str,
) -> PassedOver:
    return PassedOver(
        tenant_id=work.plan.tenant_id,
        plan=work.plan,
        work_order_id=row.work_order_id,
        workshop_id=workshop,
        obstacle=obstacle,
        detail=detail[:200],
        score=work.scores[workshop].value if judged.obstacle is None else None,
        free=judged.free.pieces,
    )


def _left(maker: Maker, given: list[tuple[date, int]], due: date) -> int:
    """Pieces left for a lot due on ``due`` after what this plan gives the workshop."""
    rooms = [
        free - sum(pieces for day, pieces in given if day.toordinal() <= until)
        for until, free in maker.free.items()
        if until >= due.toordinal()
    ]
    return max(min(rooms, default=0), 0)


def _solver_words(found: Allocation) -> str:
    if not found.placements:
        return "No workshop could take any of it."
    if found.method == "greedy":
        return "Best workshops first; the solver found nothing better in its time."
    if found.optimal:
        return "Proven to be within 0.2 % of the best split under these rules."
    return "A good split; the time limit ended the search before it was proven best."
