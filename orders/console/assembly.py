"""Assembly: the lines of all open orders as a board, one step at a time, to the door."""

from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.db.models import Count, F, Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from orders.enums import JOB_OPEN, JobState, LineStage, OrderState, WorkOrderState
from orders.models import Job, Order, OrderLine, PartNeed, WorkOrder
from orders.services.assembly import advance_line, ship_order
from vrp.accounts.enums import Permission
from vrp.accounts.permissions import require
from vrp.console.guard import member
from vrp.console.paging import page_of
from vrp.console.today import Card, waits_for
from vrp.digits import whole_number
from vrp.errors import IllegalMove, Invalid
from vrp.events.services import Actor
from vrp.text import is_clean

# What a person does next with a line in each stage, in the words of the button.
NEXT_STEP = {
    LineStage.PARTS_IN: (LineStage.ASSEMBLED, "Assembled"),
    LineStage.ASSEMBLED: (LineStage.FINISHED, "Finished"),
    LineStage.FINISHED: (LineStage.PACKED, "Packed"),
}
# Cards of one column; the rest is one click away.
COLUMN = 20
URGENT_FIRST = ("order__ship_by", "id")


@require_safe
@member
def board(request: HttpRequest) -> HttpResponse:
    """All open lines by stage; with ``?stage=`` one stage as a paged list.

    Actions on the page: POST ``/ops/lines/<id>/advance/`` (``stage``) and POST
    ``/ops/orders/<id>/ship/`` (``carrier``, ``tracking``, ``cartons``).
    """
    stage = request.GET.get("stage", "")
    if stage in LineStage.values:
        return _one_stage(request, LineStage(stage))
    totals = dict(
        _open_lines().values_list("stage").annotate(lines=Count("id")).order_by()
    )
    columns, drawn = [], []
    for one in LineStage:
        rows = list(_of_stage(one)[:COLUMN])
        drawn += rows
        columns.append(
            {
                "stage": one,
                "label": one.label,
                "rows": rows,
                "total": max(totals.get(one, 0), len(rows)),
                "more": max(totals.get(one, 0) - len(rows), 0),
            }
        )
    explain(drawn)
    context = {
        "waiting": columns[0],
        "columns": columns[1:],
        "ready": _to_ship(),
        **_rights(request),
    }
    return render(request, "orders/assembly.html", context)


def _one_stage(request: HttpRequest, stage: LineStage) -> HttpResponse:
    order = ("-id",) if stage == LineStage.SHIPPED else URGENT_FIRST
    page = page_of(request, _of_stage(stage), order=order)
    explain(page.rows)
    context = {
        "page": page,
        "stage": stage,
        "label": stage.label,
        "stages": LineStage.choices,
        **_rights(request),
    }
    return render(request, "orders/assembly_stage.html", context)


def _rights(request: HttpRequest) -> dict[str, bool]:
    return {"may_assemble": request.grant.may(Permission.ASSEMBLE)}  # type: ignore[attr-defined]


def _open_lines() -> QuerySet[OrderLine]:
    return OrderLine.objects.exclude(order__state=OrderState.CANCELLED)


def _of_stage(stage: LineStage) -> QuerySet[OrderLine]:
    rows = _open_lines().filter(stage=stage).select_related("product", "order__buyer")
    newest = ("-order__shipped_at", "-id")
    return rows.order_by(*(newest if stage == LineStage.SHIPPED else URGENT_FIRST))


def explain(lines: list[OrderLine]) -> None:
    """Give each line its next step and, while it waits, what is missing and who has it.

    Two queries for all lines together.
    """
    waiting = {line.pk: line for line in lines if line.stage == LineStage.WAITING}
    for line in lines:
        line.next_step = NEXT_STEP.get(LineStage(line.stage))  # type: ignore[attr-defined]
        line.missing = []  # type: ignore[attr-defined]
    open_jobs = Job.objects.filter(state__in=JOB_OPEN).select_related("workshop")
    made = (
        WorkOrder.objects.filter(line__in=waiting, state=WorkOrderState.OPEN)
        .select_related("component")
        .prefetch_related(Prefetch("jobs", open_jobs.order_by("due_on", "number")))
    )
    for work_order in made:
        waiting[work_order.line_id].missing.append(_made_part(work_order))  # type: ignore[attr-defined]
    bought = PartNeed.objects.filter(line__in=waiting, reserved__lt=F("quantity"))
    for need in bought.select_related("component"):
        waiting[need.line_id].missing.append(_bought_part(need))  # type: ignore[attr-defined]


def _made_part(work_order: WorkOrder) -> dict[str, Any]:
    """One missing component: how many are good, who has how many, what nobody has."""
    holders: dict[str, int] = defaultdict(int)
    grading = 0
    for job in work_order.jobs.all():
        away = job.quantity - job.delivered
        grading += job.delivered - job.good - job.scrapped
        if away:
            asked = " (asked)" if job.state == JobState.OFFERED else ""
            holders[f"{job.workshop.code}{asked}"] += away
    notes = [f"{code}: {count:,}" for code, count in holders.items()]
    if grading:
        notes.append(f"in grading or rework: {grading:,}")
    if work_order.open_quantity:
        notes.append(f"with nobody yet: {work_order.open_quantity:,}")
    return {
        "component": work_order.component,
        "have": work_order.good,
        "of": work_order.quantity,
        "short": max(work_order.quantity - work_order.good, 0),
        "notes": notes,
        "blocked": bool(work_order.open_quantity),
    }


def _bought_part(need: PartNeed) -> dict[str, Any]:
    return {
        "component": need.component,
        "have": need.reserved,
        "of": need.quantity,
        "short": need.shortage,
        "notes": [f"to be bought: {need.shortage:,}"],
        "blocked": True,
    }


def _to_ship() -> list[Order]:
    """Orders of which every line is packed."""
    lines = Prefetch("lines", OrderLine.objects.select_related("product"))
    return list(
        _fully_packed()
        .select_related("buyer")
        .prefetch_related(lines)
        .order_by("ship_by", "id")[:COLUMN]
    )


def _fully_packed() -> QuerySet[Order]:
    return Order.objects.filter(state=OrderState.READY).exclude(
        Q(
            pk__in=OrderLine.objects.filter(order__state=OrderState.READY)
            .exclude(stage=LineStage.PACKED)
            .values("order_id")
        )
    )


@require_POST
@member
@require(Permission.ASSEMBLE)
def line_advance(request: HttpRequest, pk: int) -> HttpResponse:
    """POST ``stage`` (assembled, finished or packed): one step; twice changes nothing."""
    line = OrderLine.objects.filter(pk=pk).select_related("order", "product").first()
    if line is None:
        raise Http404
    stage = request.POST.get("stage", "")
    try:
        advance_line(line=line, stage=stage, actor=Actor.user(request.user))
    except (Invalid, IllegalMove) as error:
        messages.error(request, f"{line.order.po_number}: {error.message}")
    else:
        done = f"{line.quantity:,} x {line.product.sku} of {line.order.po_number}"
        messages.success(request, f"{done}: {LineStage(stage).label}.")
    return redirect("assembly")


@require_POST
@member
@require(Permission.ASSEMBLE)
def order_ship(request: HttpRequest, pk: int) -> HttpResponse:
    """POST ``carrier``, ``tracking``, ``cartons``: ship a fully packed order, once."""
    order = Order.objects.filter(pk=pk).first()
    if order is None:
        raise Http404
    try:
        shipment = ship_order(
            order=order,
            carrier=_short_text(request, "carrier", 60),
            tracking=_short_text(request, "tracking", 80),
            cartons=_cartons(request.POST.get("cartons", "")),
            actor=Actor.user(request.user),
        )
    except (Invalid, IllegalMove) as error:
        messages.error(request, f"{order.po_number} is not shipped: {error.message}")
    else:
        messages.success(
            request,
            f"{order.po_number} has left as {shipment} with {shipment.carrier}; "
            "the buyer's system is told.",
        )
    return redirect("assembly")


def _short_text(request: HttpRequest, name: str, most: int) -> str:
    text = request.POST.get(name, "").strip()
    if len(text) > most or not is_clean(text):
        raise Invalid(f"Keep the {name} below {most} plain letters.", field=name)
    return text


def _cartons(text: str) -> int:
    cartons = whole_number(text, most=6)
    if cartons is None:
        raise Invalid("Say how many cartons, as a whole number.", field="cartons")
    return cartons


@waits_for(Permission.ASSEMBLE)
def assembly_waits(request: HttpRequest) -> list[Card]:
    """Lines to assemble, finish and pack, and orders to ship."""
    totals = dict(
        _open_lines()
        .filter(stage__in=NEXT_STEP)
        .values_list("stage")
        .annotate(lines=Count("id"))
        .order_by()
    )
    begun = totals.get(LineStage.ASSEMBLED, 0) + totals.get(LineStage.FINISHED, 0)
    url = "/ops/assembly/"
    return [
        Card(
            "Lines to assemble", totals.get(LineStage.PARTS_IN, 0), "all parts in", url
        ),
        Card("Lines to finish and pack", begun, "assembled or finished", url),
        Card("Orders to ship", _fully_packed().count(), "every line packed", url),
    ]
