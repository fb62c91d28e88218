"""Plans in the console: the list, the plan itself, editing, releasing, discarding."""

from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from matching.console.drawing import (
    five,
    orders_of,
    plan_facts,
    proposal_facts,
    siblings,
    summary,
    work_rows,
)
from matching.console.forms import QUANTITY, PlanForm, read_quantities
from matching.enums import PLAN_LIVE, Obstacle, PlanState
from matching.models import Plan, PlanWorkOrder, Proposal
from matching.queries import returned_offers, work_to_plan
from matching.services import discard_plan, edit_work_order, release_plan
from orders.enums import JobState
from orders.models import WorkOrder
from vrp.accounts.enums import Permission
from vrp.accounts.permissions import require
from vrp.console.guard import member
from vrp.console.history import event_rows
from vrp.console.paging import page_of
from vrp.digits import whole_number
from vrp.errors import Conflict, IllegalMove, Invalid
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.text import typed

TABS = [
    ("review", "To review", (PlanState.READY,)),
    ("work", "Being computed", (PlanState.QUEUED, PlanState.RUNNING)),
    ("released", "Released", (PlanState.RELEASED,)),
    ("away", "Put away", (PlanState.DISCARDED, PlanState.FAILED)),
    ("all", "All", tuple(PlanState)),
]
TO_PLAN = 12


@member
@require_GET
def plan_list(request: HttpRequest) -> HttpResponse:
    """Work that nobody has been asked to make, and the plans.

    GET: ``state`` (review, work, released, away, all) and ``q`` (a plan's number, a PO
    number or a component's code).
    """
    states = {name: wanted for name, _, wanted in TABS}
    state = request.GET.get("state", "all")
    if state not in states:
        state = "all"
    text = request.GET.get("q", "").replace("\x00", "").strip()[:60]
    rows = _with_figures(Plan.objects.filter(state__in=states[state]))
    page = page_of(request, _matching(rows, text), order=("-number",))
    _name_work(page.rows)
    first = not ({"after", "before", "q"} & set(request.GET))
    context = {
        "page": page,
        "tabs": [(name, label) for name, label, _ in TABS],
        "state": state,
        "q": text,
        "to_plan": orders_to_plan() if first else [],
        "may_plan": may_plan(request),
    }
    return render(request, "matching/plans.html", context)


def may_plan(request: HttpRequest) -> bool:
    """Whether to show what only a planner may press."""
    return bool(request.grant.may(Permission.PLAN))  # type: ignore[attr-defined]


def _with_figures(rows: QuerySet[Plan]) -> QuerySet[Plan]:
    def total(model: Any, column: str) -> Subquery:
        sums = model.objects.filter(plan=OuterRef("pk")).order_by().values("plan")
        return Subquery(sums.annotate(found=Sum(column)).values("found"))

    jobs = Proposal.objects.filter(plan=OuterRef("pk")).order_by().values("plan")
    return rows.select_related("made_by").annotate(
        placed=total(Proposal, "quantity"),
        short=total(PlanWorkOrder, "short"),
        jobs=Subquery(jobs.annotate(found=Count("id")).values("found")),
    )


def _matching(rows: QuerySet[Plan], text: str) -> QuerySet[Plan]:
    if not text:
        return rows
    work = WorkOrder.objects.filter(
        Q(component__code__icontains=text) | Q(line__order__po_number__icontains=text)
    )
    found = Q(pk__in=PlanWorkOrder.objects.filter(work_order__in=work).values("plan"))
    number = whole_number(text.lower().removeprefix("plan"))
    if number is not None:
        found |= Q(number=number)
    return rows.filter(found)


def _name_work(plans: list[Plan]) -> None:
    """Give each plan of a page ``parts`` and ``po_numbers``: what it is for. One query."""
    rows = PlanWorkOrder.objects.filter(plan__in=plans).values_list(
        "plan_id", "work_order__component__code", "work_order__line__order__po_number"
    )
    parts: dict[int, dict[str, None]] = defaultdict(dict)
    orders: dict[int, dict[str, None]] = defaultdict(dict)
    for plan, code, po_number in rows.order_by("id"):
        parts[plan][code] = None
        orders[plan][po_number] = None
    for one in plans:
        one.parts = list(parts[one.pk])  # type: ignore[attr-defined]
        one.po_numbers = list(orders[one.pk])  # type: ignore[attr-defined]


def orders_to_plan() -> list[dict[str, Any]]:
    """Orders with open work that no live plan covers, most urgent first. Two queries."""
    rows = work_to_plan().select_related("component", "line__order__buyer")
    found: dict[int, dict[str, Any]] = {}
    for one in rows.order_by("due_on", "id")[:200]:
        order = one.line.order
        entry = found.setdefault(
            order.pk,
            {
                "order": order,
                "due_on": one.due_on,
                "parts": [],
                "declined": 0,
                "silent": 0,
            },
        )
        entry["parts"].append(
            {"code": one.component.code, "open": one.open_quantity, "of": one.quantity}
        )
    came_back = returned_offers().order_by()
    for order, state, count in came_back.values_list(
        "work_order__line__order_id", "state"
    ).annotate(count=Count("id")):
        if order in found:
            found[order]["declined" if state == JobState.DECLINED else "silent"] = count
    return list(found.values())[:TO_PLAN]


@member
@require_GET
def plan_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One plan: its progress, then what it proposes and why."""
    plans = Plan.objects.select_related("tenant", "made_by")
    return _page(request, get_object_or_404(plans, pk=pk))


def _page(
    request: HttpRequest,
    plan: Plan,
    *,
    error: Invalid | None = None,
    work_order: int | None = None,
) -> HttpResponse:
    rows = work_rows(plan)
    for row in rows:
        if error and row.row.work_order_id == work_order:
            row.error = error.message
            row.reason = request.POST.get("override_reason", "")
            row.typed = _typed(request)
    for row in rows:
        _fill_inputs(row.proposals, row.typed)
        _fill_inputs(row.nearest, row.typed)
    orders = orders_of(rows)
    editable = plan.state == PlanState.READY and may_plan(request)
    context = {
        "plan": plan,
        "rows": rows,
        "orders": orders,
        "summary": summary(rows, plan.tenant.currency),
        "facts": plan_facts(plan),
        "computing": plan.state in (PlanState.QUEUED, PlanState.RUNNING),
        "editable": editable,
        "may_plan": may_plan(request),
        "live": plan.state in PLAN_LIVE,
        "siblings": siblings(plan, rows) if plan.state == PlanState.READY else [],
        "form": PlanForm.starting(request.tenant, plan),  # type: ignore[attr-defined]
        "order": orders[0] if len(orders) == 1 else None,
        "events": event_rows(_events(plan)),
        "error": error,
    }
    return render(request, "matching/plan.html", context, status=422 if error else 200)


def _typed(request: HttpRequest) -> dict[int, str]:
    return {
        key: request.POST[name][:12]
        for name in request.POST
        if name.startswith(QUANTITY)
        and (key := whole_number(name.removeprefix(QUANTITY))) is not None
    }


def _fill_inputs(rows: Any, typed: dict[int, str]) -> None:
    for one in rows:
        kept = getattr(one, "quantity", "")
        one.typed = typed.get(one.workshop_id, str(kept))


def _events(plan: Plan) -> QuerySet[Event]:
    rows = Event.objects.filter(subject_type="plan", subject_id=plan.pk)
    return rows.order_by("-id")[:20]


@member
@require_GET
def plan_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the matcher is, as a fragment. Header ``X-Refresh-Done`` when it ended."""
    plan = get_object_or_404(Plan, pk=pk)
    response = render(request, "matching/_progress.html", {"plan": plan})
    if plan.state not in (PlanState.QUEUED, PlanState.RUNNING):
        response["X-Refresh-Done"] = "page"
    return response


@member
@require_GET
def plan_why(request: HttpRequest, pk: int, proposal: int) -> HttpResponse:
    """One proposal in full: its five dimensions and its reasons. A field worker opens
    those of her regions' workshops."""
    limit = request.grant.region_limit  # type: ignore[attr-defined]
    rows = Proposal.objects.all()
    if limit is not None:
        rows = rows.filter(workshop__area__region__in=limit)
    found: Proposal = get_object_or_404(
        rows.select_related(
            "plan__tenant",
            "workshop__area",
            "work_order__component",
            "job",
            "edited_by",
        ),
        pk=proposal,
        plan=pk,
    )
    context = {"one": found, "plan": found.plan, "dims": five(found.dimensions)}
    context["facts"] = proposal_facts(found)
    return render(request, "matching/why.html", context)


@member
@require_GET
def passed_over(request: HttpRequest, pk: int, work_order: int) -> HttpResponse:
    """Everybody who got nothing of a work order, and why. GET: ``obstacle``."""
    plan = get_object_or_404(Plan, pk=pk)
    row = get_object_or_404(
        plan.rows.select_related("work_order__component"), work_order=work_order
    )
    everybody = plan.passed_over.filter(work_order=work_order)
    counts = dict(
        everybody.order_by().values_list("obstacle").annotate(count=Count("id"))
    )
    wanted = request.GET.get("obstacle", "")
    rows = everybody.filter(obstacle=wanted) if wanted in counts else everybody
    context = {
        "plan": plan,
        "row": row,
        "page": page_of(request, rows.select_related("workshop"), order=("id",)),
        "obstacle": wanted if wanted in counts else "",
        "total": sum(counts.values()),
        "counts": [
            {"value": one.value, "label": one.label, "count": counts[one.value]}
            for one in Obstacle
            if one.value in counts
        ],
    }
    return render(request, "matching/passed_over.html", context)


@require_POST
@member
@require(Permission.PLAN)
def plan_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what a ready plan proposes for one work order.

    POST: ``work_order`` (id), ``quantity_<workshop id>`` for each workshop to set (0
    takes it out; blank leaves it as it is) and ``override_reason`` for lots below the
    smallest.
    """
    plan = get_object_or_404(Plan, pk=pk)
    key = whole_number(request.POST.get("work_order", "")) or 0
    work_order = get_object_or_404(WorkOrder, pk=key, plan_rows__plan=plan)
    try:
        changed = edit_work_order(
            plan=plan,
            work_order=work_order,
            quantities=read_quantities(request.POST),
            actor=Actor.user(request.user),
            user=request.user,  # type: ignore[arg-type]
            override_reason=typed(
                request.POST.get("override_reason", ""), "override_reason", most=500
            ),
        )
    except Invalid as error:
        plan.refresh_from_db()
        return _page(request, plan, error=error, work_order=key)
    except IllegalMove as error:
        messages.error(request, error.message)
        return redirect("plan", pk=plan.pk)
    if changed:
        places = "1 workshop" if changed == 1 else f"{changed} workshops"
        messages.success(request, f"Changed for {places}. Nothing is offered yet.")
    else:
        messages.info(request, "Nothing was different.")
    return redirect("plan", pk=plan.pk)


@require_POST
@member
@require(Permission.PLAN)
def plan_release(request: HttpRequest, pk: int) -> HttpResponse:
    """Offer every job the plan proposes. POST: nothing but the token."""
    plan = get_object_or_404(Plan, pk=pk)
    before = plan.state
    try:
        jobs = release_plan(plan=plan, actor=Actor.user(request.user))
    except (Conflict, IllegalMove) as error:
        messages.error(request, error.message)
        return redirect("plan", pk=plan.pk)
    if before == PlanState.RELEASED:
        messages.info(request, f"{plan} was released already; nothing changed.")
    else:
        offers = "1 offer is" if len(jobs) == 1 else f"{len(jobs)} offers are"
        messages.success(request, f"Released: {offers} on the way by SMS.")
    return redirect("plan", pk=plan.pk)


@require_POST
@member
@require(Permission.PLAN)
def plan_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the plan away. POST: nothing but the token."""
    plan = get_object_or_404(Plan, pk=pk)
    try:
        discard_plan(plan=plan, actor=Actor.user(request.user))
    except IllegalMove as error:
        messages.error(request, error.message)
        return redirect("plan", pk=plan.pk)
    messages.success(request, f"{plan} is put away. Nothing was offered.")
    return redirect("plans")
