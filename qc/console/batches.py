"""Batches: the queue, the grading page, and what a batch was found to be."""

from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from payments.models import Payable, Payout
from qc.console.forms import counters, read_verdicts, sum_words, usual_defects
from qc.enums import BatchState, Grade
from qc.models import Batch, Inspection, ItemGrade
from qc.queries import batches_to_grade, grade_rows, rejection_rate
from qc.services import grade_batch
from vrp.accounts.enums import Permission
from vrp.accounts.permissions import check
from vrp.console.guard import member
from vrp.console.paging import page_of
from vrp.console.templatetags import ui
from vrp.digits import whole_number
from vrp.errors import Invalid
from vrp.events.services import Actor
from vrp.text import typed

TABS = [("open", "To grade"), ("graded", "Graded"), ("all", "All")]


def with_job(rows: QuerySet[Batch]) -> QuerySet[Batch]:
    """Batches with everything a row or a page head names."""
    return rows.select_related(
        "job__workshop",
        "job__work_order__component",
        "job__work_order__line__order",
        "delivery_line__delivery",
        "ticket__inspection__batch",
    )


def visible(request: HttpRequest) -> QuerySet[Batch]:
    """Batches this person may see: a field worker those of her regions."""
    limit = request.grant.region_limit  # type: ignore[attr-defined]
    rows = Batch.objects.all()
    return rows if limit is None else rows.filter(job__workshop__area__region__in=limit)


@require_safe
@member
def batch_list(request: HttpRequest) -> HttpResponse:
    """The queue, longest waiting first. GET: ``state`` (open, graded, all) and ``q`` (a
    batch's or job's number, a workshop's or component's code)."""
    state = request.GET.get("state", "open")
    if state not in dict(TABS):
        state = "open"
    rows = with_job(_matching(visible(request), request.GET.get("q", "")))
    rows = rows.select_related("inspection")
    if state != "all":
        rows = rows.filter(state=state)
    order = ("opened_at", "id") if state == "open" else ("-number",)
    context = {
        "page": page_of(request, rows, order=order),
        "tabs": TABS,
        "state": state,
        "q": request.GET.get("q", ""),
        "first": _first(request) if state == "open" else None,
        "may_grade": request.grant.may(Permission.GRADE),  # type: ignore[attr-defined]
    }
    return render(request, "qc/batches.html", context)


def _first(request: HttpRequest) -> Batch | None:
    """The batch that waits longest, of those this person may see."""
    return batches_to_grade().filter(pk__in=visible(request).values("pk")).first()


def _matching(rows: QuerySet[Batch], text: str) -> QuerySet[Batch]:
    words = text.replace("\x00", "").strip()[:60]
    if not words:
        return rows
    found = Q(job__workshop__code__icontains=words) | Q(
        job__work_order__component__code__icontains=words
    )
    number = whole_number(words.upper().removeprefix("B-"))
    if number is not None:
        found |= Q(number=number) | Q(job__number=number)
    return rows.filter(found)


def find_batch(request: HttpRequest, pk: int) -> Batch:
    """The batch, or 404 for one that is not there to see."""
    batch = with_job(visible(request)).filter(pk=pk).first()
    if batch is None:
        raise Http404
    return batch


@member
def batch_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Grade a batch, or see how it was graded. POST the fields of ``qc.console.forms``;
    a second post of a graded batch changes nothing."""
    batch = find_batch(request, pk)
    if request.method == "POST":
        check(request, Permission.GRADE)
        return _grade(request, batch)
    if batch.state == BatchState.GRADED:
        return render(request, "qc/batch_graded.html", _graded_context(batch))
    return _form(request, batch)


def _grade(request: HttpRequest, batch: Batch) -> HttpResponse:
    if batch.state == BatchState.GRADED:
        messages.info(request, f"{batch} was graded already; nothing changed.")
        return redirect("batch", pk=batch.pk)
    try:
        inspection = grade_batch(
            batch=batch,
            verdicts=read_verdicts(batch, usual_defects(), request.POST),
            grader=request.user,  # type: ignore[arg-type]
            actor=Actor.user(request.user),
            note=typed(request.POST.get("note", ""), "note", most=2_000),
        )
    except Invalid as error:
        return _form(request, batch, error=error)
    code = batch.job.workshop.code
    messages.success(
        request,
        f"{batch} is graded: {inspection.accepted:,} of {batch.counted:,} accepted. "
        f"{code} is told by SMS.",
    )
    return redirect("batch", pk=batch.pk)


def _form(
    request: HttpRequest, batch: Batch, error: Invalid | None = None
) -> HttpResponse:
    defects = usual_defects()
    found = counters(defects, request.POST if error else None)
    may_grade = request.grant.may(Permission.GRADE)  # type: ignore[attr-defined]
    context = {
        "batch": batch,
        "counters": found,
        "sum": sum_words(found, batch.counted),
        "error": error,
        "note": request.POST.get("note", "") if error else "",
        "defects": defects,
        "facts": batch_facts(batch),
        "may_grade": may_grade,
        "rejection": rejection_rate(workshop=batch.job.workshop),
        "open_pieces": _pieces_back(batch),
    }
    status = 422 if error else 200
    return render(request, "qc/batch_grade.html", context, status=status)


def _pieces_back(batch: Batch) -> list[ItemGrade]:
    """On a rework batch: the pieces that came back, and why each was sent."""
    if batch.ticket is None:
        return []
    grades = ItemGrade.objects.filter(
        inspection=batch.ticket.inspection, item__batch=batch
    )
    return list(grades.select_related("item", "defect").order_by("item__serial"))


def batch_facts(batch: Batch) -> list[dict[str, Any]]:
    """Who made it, for which order, and how it came in."""
    job, order = batch.job, batch.job.work_order.line.order
    rows: list[dict[str, Any]] = [
        {
            "label": "Workshop",
            "value": str(job.workshop),
            "url": f"/ops/workshops/{job.workshop_id}/",
        },
        {"label": "Job", "value": f"Job {job.number}", "url": f"/ops/jobs/{job.pk}/"},
        {"label": "Pay a piece", "value": ui.money(job.piece_rate_minor, job.currency)},
        {"label": "Order", "value": order.po_number, "url": f"/ops/orders/{order.pk}/"},
    ]
    if batch.delivery_line is not None:
        delivery = batch.delivery_line.delivery
        rows.append(
            {
                "label": "Delivery",
                "value": str(delivery),
                "url": f"/ops/deliveries/{delivery.pk}/",
                "note": f"{batch.delivery_line.declared:,} declared",
            }
        )
    if batch.ticket is not None:
        first = batch.ticket.inspection.batch
        rows.append(
            {
                "label": "Sent back from",
                "value": str(first),
                "url": f"/ops/batches/{first.pk}/",
            }
        )
    return rows


def _graded_context(batch: Batch) -> dict[str, Any]:
    inspection = Inspection.objects.select_related("grader").get(batch=batch)
    rows = grade_rows(inspection)
    following = batches_to_grade().first()
    rejected = inspection.rework + inspection.scrap
    return {
        "batch": batch,
        "inspection": inspection,
        "facts": batch_facts(batch),
        "parts": [
            {"label": grade.label, "value": getattr(inspection, grade), "tone": grade}
            for grade in Grade
        ],
        "reasons": [
            {
                "label": f"{row.grade.label}: {row.defect.name}",
                "value": row.count,
                "tone": row.grade,
                "note": row.defect.get_defect_class_display()
                if row.defect.defect_class == "consistency"
                else "",
            }
            for row in rows
            if row.defect
        ],
        "rejected": rejected,
        "rate": f"{100 * rejected / batch.counted:.1f} %",
        "payable": Payable.objects.filter(inspection=inspection).first(),
        "payouts": _payouts(inspection),
        "groups": _groups(inspection),
        "tickets": list(
            inspection.rework_tickets.select_related("batch").order_by("id")
        ),
        "following": following,
    }


def _payouts(inspection: Inspection) -> list[Payout]:
    """The payouts that pay this inspection, or paid it."""
    live = Payout.objects.filter(
        lines__payable__inspection=inspection, lines__is_live=True
    )
    return list(live.select_related("run").order_by("id").distinct())


def _groups(inspection: Inspection) -> list[dict[str, Any]]:
    """Every piece by serial, those with one grade and one defect together."""
    grades = ItemGrade.objects.filter(inspection=inspection)
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for one in grades.select_related("item", "defect").order_by("item__serial"):
        reason = one.defect.name if one.defect else ""
        group = groups.setdefault(
            (one.grade, reason), {"grade": Grade(one.grade), "reason": reason}
        )
        group.setdefault("pieces", []).append(one)
    order = Grade.values
    return sorted(groups.values(), key=lambda group: order.index(group["grade"]))
