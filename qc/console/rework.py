"""Rework: what is at the workshops to be mended, and taking it back in."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from qc.enums import Grade, TicketState
from qc.models import ItemGrade, ReworkTicket
from qc.services import return_rework, write_off_rework
from vrp.accounts.enums import Permission
from vrp.accounts.permissions import require
from vrp.console.guard import member
from vrp.console.paging import page_of
from vrp.digits import whole_number
from vrp.errors import IllegalMove, Invalid
from vrp.events.services import Actor
from vrp.text import typed

TABS = [("open", "At the workshops"), ("returned", "Returned"), ("lost", "Written off")]


def visible(request: HttpRequest) -> QuerySet[ReworkTicket]:
    """Tickets this person may see: a field worker those of her regions."""
    limit = request.grant.region_limit  # type: ignore[attr-defined]
    rows = ReworkTicket.objects.all()
    return rows if limit is None else rows.filter(job__workshop__area__region__in=limit)


@require_safe
@member
def rework_list(request: HttpRequest) -> HttpResponse:
    """Tickets, the one due first in front. GET: ``state`` (open, returned, lost) and
    ``q`` (a workshop's code). Actions: POST ``<id>/return/`` with ``counted``, POST
    ``<id>/write-off/`` with ``reason``."""
    state = request.GET.get("state", "open")
    if state not in dict(TABS):
        state = "open"
    rows = visible(request).filter(state=state)
    words = request.GET.get("q", "").replace("\x00", "").strip()[:60]
    if words:
        rows = rows.filter(job__workshop__code__icontains=words)
    rows = rows.select_related(
        "job__workshop", "job__work_order__component", "inspection__batch", "batch"
    )
    order = ("due_on", "id") if state == TicketState.OPEN else ("-id",)
    page = page_of(request, rows, order=order)
    _name_defects(page.rows)
    context = {
        "page": page,
        "tabs": TABS,
        "state": state,
        "q": words,
        "today": timezone.localdate(),
        "may_grade": request.grant.may(Permission.GRADE),  # type: ignore[attr-defined]
    }
    return render(request, "qc/rework.html", context)


def _name_defects(tickets: list[Any]) -> None:
    """Give each ticket the words for what is wrong. One query for all."""
    found = (
        ItemGrade.objects.filter(
            inspection__in={ticket.inspection_id for ticket in tickets},
            grade=Grade.REWORK,
        )
        .values_list("inspection_id", "defect__name")
        .distinct()
        .order_by("defect__name")
    )
    names: dict[int, list[str]] = {}
    for inspection_id, name in found:
        names.setdefault(inspection_id, []).append(name)
    for ticket in tickets:
        ticket.reasons = names.get(ticket.inspection_id, [])


def _ticket(request: HttpRequest, pk: int) -> ReworkTicket:
    ticket = visible(request).select_related("job__workshop").filter(pk=pk).first()
    if ticket is None:
        raise Http404
    return ticket


@require_POST
@member
@require(Permission.GRADE)
def rework_return(request: HttpRequest, pk: int) -> HttpResponse:
    """POST ``counted``: the mended pieces are back; goes on to grading them."""
    ticket = _ticket(request, pk)
    sent, was_open = ticket.quantity, ticket.state == TicketState.OPEN
    counted = whole_number(request.POST.get("counted", ""), most=7)
    try:
        if counted is None:
            raise Invalid("Give a whole number of pieces.", field="counted")
        batch = return_rework(
            ticket=ticket, counted=counted, actor=Actor.user(request.user)
        )
    except (Invalid, IllegalMove) as error:
        messages.error(request, error.message)
        return redirect("rework")
    text = f"{batch} is open: {batch.counted} mended pieces to grade."
    if was_open and batch.counted < sent:
        text += f" {sent - batch.counted} stay with {ticket.job.workshop.code}."
    messages.success(request, text)
    return redirect("batch", pk=batch.pk)


@require_POST
@member
@require(Permission.GRADE)
def rework_write_off(request: HttpRequest, pk: int) -> HttpResponse:
    """POST ``reason``: the pieces will not come back; they are planned again."""
    ticket = _ticket(request, pk)
    try:
        write_off_rework(
            ticket=ticket,
            reason=typed(request.POST.get("reason", ""), "reason", most=500),
            actor=Actor.user(request.user),
        )
    except (Invalid, IllegalMove) as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request,
            f"{ticket.quantity} pieces of job {ticket.job.number} are written off and "
            "can be planned again.",
        )
    return redirect("rework")
