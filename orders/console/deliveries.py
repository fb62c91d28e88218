"""Deliveries: who comes when, and what came in against what was declared."""

import datetime as dt
from collections import Counter
from typing import Any

from django.contrib import messages
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from artisans.models import Workshop
from orders.enums import JOB_AT_WORKSHOP, DeliveryState
from orders.models import Delivery, DeliveryLine, Job
from orders.services.deliveries import (
    book_delivery,
    cancel_delivery,
    receive_delivery,
)
from vrp.accounts.enums import Permission
from vrp.accounts.permissions import check, require
from vrp.console.formats import day_words
from vrp.console.guard import member
from vrp.console.history import event_rows
from vrp.console.paging import page_of
from vrp.console.templatetags import ui
from vrp.console.today import Card, waits_for
from vrp.digits import whole_number
from vrp.errors import DomainError, Invalid
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.text import typed

TABS = [
    ("expected", "Expected"),
    ("received", "Received"),
    ("cancelled", "Cancelled"),
    ("all", "All"),
]
# Deliveries booked for the days within this one are worth preparing for.
SOON = dt.timedelta(days=7)


def visible(request: HttpRequest) -> QuerySet[Delivery]:
    """Deliveries this person may see: a field worker those of her regions."""
    limit = request.grant.region_limit  # type: ignore[attr-defined]
    rows = Delivery.objects.all()
    return rows if limit is None else rows.filter(workshop__area__region__in=limit)


def visible_workshops(request: HttpRequest) -> QuerySet[Workshop]:
    """Workshops this person may take goods from."""
    limit = request.grant.region_limit  # type: ignore[attr-defined]
    rows = Workshop.objects.all()
    return rows if limit is None else rows.filter(area__region__in=limit)


@require_safe
@member
def delivery_list(request: HttpRequest) -> HttpResponse:
    """Expected first. GET: ``state`` (expected, received, cancelled, all), ``q`` (a
    delivery's number, or a workshop's code or name)."""
    state = request.GET.get("state", "expected")
    if state not in dict(TABS):
        state = "expected"
    today = timezone.localdate()
    found = _matching(visible(request), request.GET.get("q", ""))
    rows = found.select_related("workshop__area").annotate(
        declared=_lines_sum("declared"), counted=_lines_sum("counted")
    )
    if state != "all":
        stored = DeliveryState.BOOKED if state == "expected" else state
        rows = rows.filter(state=stored)
    order = ("booked_for", "id") if state == "expected" else ("-number",)
    page = page_of(request, rows, order=order)
    context = {
        "page": page,
        "tabs": TABS,
        "state": state,
        "q": request.GET.get("q", ""),
        "today": today,
        "stats": _stats(request, today),
        "may_receive": request.grant.may(Permission.RECEIVE),  # type: ignore[attr-defined]
    }
    return render(request, "orders/deliveries.html", context)


def _lines_sum(column: str) -> Subquery:
    """Summed for the rows that are shown; joined, it would be summed for all of them."""
    lines = DeliveryLine.objects.filter(delivery=OuterRef("pk")).order_by()
    return Subquery(
        lines.values("delivery").annotate(total=Sum(column)).values("total")
    )


def _matching(rows: QuerySet[Delivery], text: str) -> QuerySet[Delivery]:
    words = text.replace("\x00", "").strip()[:60]
    if not words:
        return rows
    found = Q(workshop__code__icontains=words) | Q(workshop__name__icontains=words)
    number = whole_number(words.upper().removeprefix("D-"))
    if number is not None:
        found |= Q(number=number)
    return rows.filter(found)


def _stats(request: HttpRequest, today: dt.date) -> dict[str, Any]:
    """How many deliveries and pieces come today and in the seven days from today."""
    week = today + dt.timedelta(days=7)
    booked = visible(request).filter(state=DeliveryState.BOOKED, booked_for__lt=week)
    days: Counter[str] = Counter()
    pieces: Counter[str] = Counter()
    by_day = booked.order_by().values_list("booked_for")
    sums = by_day.annotate(
        deliveries=Count("pk", distinct=True), declared=Sum("lines__declared")
    )
    for day, deliveries, declared in sums:
        when = "late" if day < today else "today" if day == today else "week"
        days[when] += deliveries
        pieces[when] += declared or 0
    return {
        "late": days["late"],
        "today": days["today"],
        "week": days["week"],
        "late_pieces": f"{pieces['late']:,} pieces",
        "today_pieces": f"{pieces['today']:,} pieces",
        "week_pieces": f"{pieces['week']:,} pieces",
    }


@member
def delivery_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One delivery: declared against counted. POST ``count-<line id>``, one number per
    job, receives it; a second post changes nothing."""
    delivery = visible(request).select_related("workshop__area").filter(pk=pk).first()
    if delivery is None:
        raise Http404
    lines = _lines(delivery)
    error = ""
    if request.method == "POST":
        check(request, Permission.RECEIVE)
        try:
            return _receive(request, delivery, lines)
        except Invalid as invalid:
            error = invalid.message
            for line in lines:
                line.typed = request.POST.get(f"count-{line.pk}", "")  # type: ignore[attr-defined]
    context = _page_context(request, delivery, lines) | {"error": error}
    return render(
        request, "orders/delivery.html", context, status=422 if error else 200
    )


def _lines(delivery: Delivery) -> list[DeliveryLine]:
    rows = delivery.lines.select_related("job__work_order__component", "batch")
    return list(rows.order_by("job__number"))


def _receive(
    request: HttpRequest, delivery: Delivery, lines: list[DeliveryLine]
) -> HttpResponse:
    was_open = delivery.state == DeliveryState.BOOKED
    counts = {
        line.pk: count_of(
            request.POST.get(f"count-{line.pk}", ""), f"Job {line.job.number}"
        )
        for line in lines
    }
    delivery = receive_delivery(
        delivery=delivery, counts=counts, actor=Actor.user(request.user)
    )
    if not was_open:
        messages.info(request, f"{delivery} was received already; nothing changed.")
        return redirect("delivery", pk=delivery.pk)
    declared, counted = sum(line.declared for line in lines), sum(counts.values())
    text = f"{delivery}: {counted:,} of {declared:,} pieces counted in."
    if counted < declared:
        text += (
            f" {delivery.workshop.code} is told by SMS that "
            f"{declared - counted:,} are short."
        )
    messages.success(request, text)
    return redirect("delivery", pk=delivery.pk)


def count_of(text: str, what: str) -> int:
    """A count as a person typed it; ``Invalid`` names the thing it belongs to."""
    count = whole_number(text, most=7)
    if count is None:
        raise Invalid(f"{what}: give a whole number, 0 or more.", field="counts")
    return count


def _page_context(
    request: HttpRequest, delivery: Delivery, lines: list[DeliveryLine]
) -> dict[str, Any]:
    received = delivery.state == DeliveryState.RECEIVED
    workshop = delivery.workshop
    history = Event.objects.filter(subject_type="delivery", subject_id=delivery.pk)
    declared = sum(line.declared for line in lines)
    counted = sum(line.counted or 0 for line in lines)
    may = request.grant.may(Permission.RECEIVE)  # type: ignore[attr-defined]
    return {
        "delivery": delivery,
        "lines": lines,
        "received": received,
        "may_receive": may and delivery.state == DeliveryState.BOOKED,
        "declared": declared,
        "counted": counted,
        "short": declared - counted,
        "facts": [
            {
                "label": "Workshop",
                "value": str(workshop),
                "url": _workshop_url(workshop),
            },
            {"label": "Area", "value": workshop.area.name},
            {"label": "Phone", "value": ui.phone(workshop.phone)},
        ],
        "history": event_rows(history.order_by("-id")[:20]),
    }


def _workshop_url(workshop: Workshop) -> str:
    return f"/ops/workshops/{workshop.pk}/"


@member
@require(Permission.RECEIVE)
def delivery_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """POST ``reason``: the booked delivery will not come."""
    delivery = visible(request).filter(pk=pk).first()
    if delivery is None or request.method != "POST":
        raise Http404
    reason = typed(request.POST.get("reason", ""), "reason", most=200)
    if not reason:
        messages.error(request, "Say why the delivery will not come.")
        return redirect("delivery", pk=pk)
    cancel_delivery(delivery=delivery, actor=Actor.user(request.user), reason=reason)
    messages.success(
        request, f"{delivery} is cancelled; its pieces can be booked again."
    )
    return redirect("delivery", pk=pk)


@member
@require(Permission.RECEIVE)
def walk_in(request: HttpRequest) -> HttpResponse:
    """Somebody is at the door without a booking. GET ``workshop`` (its id) chooses it;
    POST ``workshop`` and ``job-<job id>`` (pieces declared; empty or 0: none) records
    the delivery for today and goes on to counting."""
    given = request.POST if request.method == "POST" else request.GET
    workshop = _chosen_workshop(request, given.get("workshop", ""))
    jobs = _open_jobs(workshop) if workshop else []
    error = ""
    if request.method == "POST":
        try:
            if workshop is None:
                raise Invalid("Choose the workshop first.", field="workshop")
            delivery = _record_walk_in(request, workshop, jobs)
            messages.success(
                request, f"{delivery} is recorded. Now count what came in."
            )
            return redirect("delivery", pk=delivery.pk)
        except DomainError as domain_error:
            error = domain_error.message
            for job in jobs:
                job.typed = request.POST.get(f"job-{job.pk}", "")  # type: ignore[attr-defined]
    context = {
        "workshop": workshop,
        "jobs": jobs,
        "workshops": [] if workshop else _workshops_at_work(request),
        "error": error,
    }
    return render(
        request,
        "orders/deliveries_walk_in.html",
        context,
        status=422 if error else 200,
    )


def _chosen_workshop(request: HttpRequest, text: str) -> Workshop | None:
    if not text:
        return None
    key = whole_number(text)
    if key is None:
        raise Http404
    found = visible_workshops(request).filter(pk=key).select_related("area").first()
    if found is None:
        raise Http404
    return found


def _open_jobs(workshop: Workshop) -> list[Job]:
    """What the workshop still has to bring, the part not yet booked as ``left``."""
    booked = Sum(
        "delivery_lines__declared",
        filter=Q(delivery_lines__delivery__state=DeliveryState.BOOKED),
        default=0,
    )
    rows = (
        Job.objects.filter(workshop=workshop, state__in=JOB_AT_WORKSHOP)
        .select_related("work_order__component")
        .annotate(booked=booked)
        .annotate(left=F("quantity") - F("delivered") - F("booked"))
        .filter(left__gt=0)
    )
    return list(rows.order_by("due_on", "number"))


def _workshops_at_work(request: HttpRequest) -> list[Workshop]:
    """Workshops that hold pieces, with how many."""
    at_work = Q(jobs__state__in=JOB_AT_WORKSHOP)
    rows = visible_workshops(request).filter(at_work).select_related("area")
    pieces = Sum(F("jobs__quantity") - F("jobs__delivered"), filter=at_work)
    return list(rows.annotate(pieces=pieces).order_by("code"))


def _record_walk_in(
    request: HttpRequest, workshop: Workshop, jobs: list[Job]
) -> Delivery:
    pieces = {}
    for job in jobs:
        typed = request.POST.get(f"job-{job.pk}", "").strip()
        declared = count_of(typed, f"Job {job.number}") if typed else 0
        if declared:
            pieces[job] = declared
    return book_delivery(
        workshop=workshop,
        pieces=pieces,
        booked_for=timezone.localdate(),
        actor=Actor.user(request.user),
    )


@waits_for(Permission.RECEIVE)
def deliveries_expected(request: HttpRequest) -> list[Card]:
    """Deliveries booked for the next days, and those whose day has passed."""
    today = timezone.localdate()
    booked = visible(request).filter(
        state=DeliveryState.BOOKED, booked_for__lte=today + SOON
    )
    per_day = Counter(booked.values_list("booked_for", flat=True))
    late = sum(count for day, count in per_day.items() if day < today)
    return [
        Card(
            "Deliveries expected",
            per_day.total() - late,
            _expected(per_day, today),
            "/ops/deliveries/",
        ),
        Card(
            "Deliveries that did not come",
            late,
            "booked for an earlier day: call, or cancel the booking",
            "/ops/deliveries/",
            tone="warn",
        ),
    ]


def _expected(per_day: Counter[dt.date], today: dt.date) -> str:
    """How many come today, and when the next ones do."""
    words = [f"{per_day[today]:,} today: count them in"] if per_day[today] else []
    later = min((day for day in per_day if day > today), default=None)
    if later is not None:
        day = day_words(later, today=today)
        words.append(f"{per_day[later]:,} on {day}")
    return "; then ".join(words)
