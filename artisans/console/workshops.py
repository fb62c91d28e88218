"""Workshops: the list, and everything about one of them."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from artisans.console.weeks import drawn_weeks, overbooked, weeks_of
from artisans.enums import Engagement, Gender, Language
from artisans.models import Area, Artisan, CapacityPeriod, Skill, Workshop
from artisans.queries import called
from artisans.services import (
    MAX_CAPACITY,
    add_period,
    change_phone,
    set_capacity,
    set_language,
)
from matching.enums import Answer
from matching.models import JobRecord
from matching.queries import five_dimensions, workshop_calendars
from orders.enums import JOB_OPEN, JobState
from orders.models import Job
from orders.queries import pace
from phone.queries import conversation
from qc.enums import BatchKind, Grade
from qc.models import Inspection
from vrp.accounts.enums import Permission
from vrp.accounts.permissions import require
from vrp.console.guard import member
from vrp.console.history import event_rows
from vrp.console.paging import page_of
from vrp.console.templatetags import ui
from vrp.digits import plain_day, whole_number
from vrp.errors import DomainError, Invalid
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.text import typed

QUARTER = dt.timedelta(days=91)
GRADED_LATELY = dt.timedelta(days=182)
SAID_YES = (
    JobState.ACCEPTED,
    JobState.IN_PROGRESS,
    JobState.DELIVERED,
    JobState.DONE,
)
SHOWN_JOBS = 50
SHOWN_PEOPLE = 60
SHOWN_MESSAGES = 10


def visible(request: HttpRequest) -> QuerySet[Workshop]:
    """Workshops this person may see: a field worker those of her regions."""
    limit = request.grant.region_limit  # type: ignore[attr-defined]
    rows = Workshop.objects.all()
    return rows if limit is None else rows.filter(area__region__in=limit)


def active_lately() -> Q:
    """Whether a workshop said yes to a job within the quarter (facts A3): to one of
    ours, or to one in the history that was loaded."""
    since = timezone.now() - QUARTER
    jobs = Job.objects.filter(
        workshop=OuterRef("pk"), state__in=SAID_YES, answered_at__gte=since
    )
    records = JobRecord.objects.filter(
        workshop=OuterRef("pk"),
        answer__in=(Answer.ACCEPTED, Answer.PART),
        offered_at__gte=since,
    )
    return Q(Exists(jobs)) | Q(Exists(records))


@require_safe
@member
def workshop_list(request: HttpRequest) -> HttpResponse:
    """GET: ``q`` (code, name, lead, phone), ``skill`` and ``area`` (ids), ``active``
    (yes: said yes to a job within 91 days; no)."""
    given = {
        name: request.GET.get(name, "") for name in ("q", "skill", "area", "active")
    }
    given["q"] = given["q"].replace("\x00", "").strip()[:60]
    rows = _filtered(visible(request), given)
    page = page_of(request, _for_list(rows), order=("code", "id"))
    today = timezone.localdate()
    calendars = workshop_calendars(page.rows, today)
    for workshop in page.rows:
        workshop.week = weeks_of(calendars[workshop.pk], 1)[0]
        workshop.lead = next(iter(workshop.leads), None)
    areas = Area.objects.all()
    limit = request.grant.region_limit  # type: ignore[attr-defined]
    if limit is not None:
        areas = areas.filter(region__in=limit)
    context = {
        "page": page,
        **given,
        "areas": list(areas.order_by("region", "name")),
        "skills": list(Skill.objects.order_by("name")),
        "stats": _stats(visible(request), limit),
        "regions": sorted(limit) if limit is not None else [],
        "may_edit": request.grant.may(Permission.EDIT_NETWORK),  # type: ignore[attr-defined]
        "filtered": any(given.values()),
    }
    return render(request, "artisans/workshops.html", context)


def _filtered(rows: QuerySet[Workshop], given: dict[str, str]) -> QuerySet[Workshop]:
    if given["q"]:
        rows = rows.filter(called(given["q"]))
    for name, column in (("skill", "skills__skill"), ("area", "area")):
        key = whole_number(given[name])
        if key is not None:
            rows = rows.filter(**{column: key})
    if given["active"] in ("yes", "no"):
        rows = rows.annotate(said_yes=active_lately())
        rows = rows.filter(said_yes=given["active"] == "yes")
    return rows


def _for_list(rows: QuerySet[Workshop]) -> QuerySet[Workshop]:
    leads = Artisan.objects.filter(engagement=Engagement.LEAD, left_on__isnull=True)
    return (
        rows.annotate(is_active=active_lately())
        .select_related("area")
        .prefetch_related("skills__skill", Prefetch("artisans", leads, to_attr="leads"))
    )


def _stats(rows: QuerySet[Workshop], limit: Collection[str] | None) -> dict[str, Any]:
    counts = rows.annotate(said_yes=active_lately()).aggregate(
        workshops=Count("pk", filter=Q(left_on__isnull=True)),
        active=Count("pk", filter=Q(left_on__isnull=True, said_yes=True)),
    )
    people = Artisan.objects.filter(left_on__isnull=True)
    if limit is not None:
        people = people.filter(workshop__in=rows)
    women = Count("pk", filter=Q(gender=Gender.FEMALE))
    return counts | people.aggregate(people=Count("pk"), women=women)


@require_safe
@member
def workshop_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about one workshop. Forms on the page: POST ``.../capacity/``
    (``pieces``), ``.../period/`` (``starts_on``, ``ends_on``, ``pieces``, ``reason``),
    ``.../language/`` (``language``), ``.../phone/`` (``phone``)."""
    workshop = _workshop(request, pk)
    today = timezone.localdate()
    calendar = workshop_calendars([workshop], today)[workshop.pk]
    people = list(workshop.artisans.filter(left_on__isnull=True)[: SHOWN_PEOPLE + 1])
    jobs = _open_jobs(workshop)
    for job in jobs:
        job.pace = pace(job, today)  # type: ignore[attr-defined]
    context = {
        "workshop": workshop,
        "facts": _facts(workshop),
        "people": _people(people),
        "many_people": len(people) > SHOWN_PEOPLE,
        "skills": _skills(workshop),
        "weeks": drawn_weeks(calendar),
        "overbooked": overbooked(calendar),
        "periods": list(
            CapacityPeriod.objects.filter(workshop=workshop, ends_on__gte=today)[:12]
        ),
        "dims": five_dimensions(workshop),
        "jobs": jobs,
        "grades": _grades(workshop),
        "conversation": conversation(workshop, SHOWN_MESSAGES),
        "events": _happened(workshop),
        "languages": Language.choices,
        "max_capacity": MAX_CAPACITY,
        "tomorrow": today + dt.timedelta(days=1),
        "may_edit": request.grant.may(Permission.EDIT_NETWORK),  # type: ignore[attr-defined]
    }
    return render(request, "artisans/workshop.html", context)


def _workshop(request: HttpRequest, pk: int) -> Workshop:
    rows = visible(request).select_related("area", "tenant")
    workshop = rows.annotate(is_active=active_lately()).filter(pk=pk).first()
    if workshop is None:
        raise Http404
    return workshop


def _open_jobs(workshop: Workshop) -> list[Job]:
    rows = Job.objects.filter(workshop=workshop, state__in=JOB_OPEN)
    rows = rows.select_related("work_order__component", "work_order__line__order")
    return list(rows.order_by("due_on", "number")[:SHOWN_JOBS])


def _facts(workshop: Workshop) -> list[dict[str, Any]]:
    area = workshop.area
    place = area.name if area.name == area.region else f"{area.name}, {area.region}"
    return [
        {"label": "Area", "value": place},
        {"label": "Phone", "value": ui.phone(workshop.phone)},
        {"label": "Language", "value": workshop.get_language_display()},
        {"label": "Usual capacity", "value": f"{workshop.capacity_per_week:,} a week"},
        {"label": "Joined", "value": ui.when(workshop.joined_on)},
    ]


def _people(people: list[Artisan]) -> list[dict[str, Any]]:
    """The people by engagement, with how many are women."""
    drawn = []
    for engagement in Engagement:
        members = [one for one in people if one.engagement == engagement]
        if members:
            women = sum(one.gender == Gender.FEMALE for one in members)
            men = sum(one.gender == Gender.MALE for one in members)
            parts = [(women, "woman", "women"), (men, "man", "men")]
            words = [f"{n} {one if n == 1 else many}" for n, one, many in parts if n]
            drawn.append(
                {
                    "label": str(engagement.label).capitalize(),
                    "words": ", ".join(words) or "not stated",
                    "names": [one.name for one in members[:SHOWN_PEOPLE]],
                }
            )
    return drawn


def _skills(workshop: Workshop) -> list[dict[str, Any]]:
    rows = workshop.skills.select_related("skill").order_by("-level", "skill__name")
    return [
        {
            "label": row.skill.name,
            "value": row.level,
            "text": f"{row.level} of 5",
            "tone": "brass",
        }
        for row in rows
    ]


def _grades(workshop: Workshop) -> dict[str, Any]:
    """Grades of first inspections in the last half year: a piece is counted once."""
    rows = Inspection.objects.filter(
        batch__job__workshop=workshop,
        batch__kind=BatchKind.FIRST,
        at__gte=timezone.now() - GRADED_LATELY,
    )
    sums = rows.aggregate(**{grade.value: Sum(grade.value) for grade in Grade})
    parts: list[dict[str, Any]] = [
        {"label": grade.label, "value": sums[grade.value] or 0, "tone": grade.value}
        for grade in Grade
    ]
    total = sum(part["value"] for part in parts)
    return {"parts": parts if total else [], "total": total}


def _happened(workshop: Workshop) -> list[dict[str, Any]]:
    rows = Event.objects.filter(subject_type="workshop", subject_id=workshop.pk)
    return event_rows(rows.order_by("-id")[:10])


@require_POST
@member
@require(Permission.EDIT_NETWORK)
def workshop_change(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """POST to ``capacity/``, ``period/``, ``language/`` or ``phone/``; see the page."""
    workshop = _workshop(request, pk)
    try:
        said = CHANGES[what](workshop, request)
    except DomainError as error:
        messages.error(request, f"{workshop.code} stays as it is: {error.message}")
    else:
        messages.success(request, f"{workshop.code}: {said}")
    return redirect("workshop", pk=pk)


def _capacity(workshop: Workshop, request: HttpRequest) -> str:
    pieces = _pieces(request)
    set_capacity(workshop=workshop, pieces=pieces, actor=Actor.user(request.user))
    return f"{pieces:,} pieces a week from now on."


def _period(workshop: Workshop, request: HttpRequest) -> str:
    period = add_period(
        workshop=workshop,
        starts_on=_day(request, "starts_on"),
        ends_on=_day(request, "ends_on"),
        pieces=_pieces(request),
        reason=typed(request.POST.get("reason", ""), "reason", most=80),
        actor=Actor.user(request.user),
    )
    what = f"{period.pieces_per_week:,} a week" if period.pieces_per_week else "a pause"
    return f"{what} from {period.starts_on:%d %b} to {period.ends_on:%d %b %Y}."


def _language(workshop: Workshop, request: HttpRequest) -> str:
    language = request.POST.get("language", "")
    set_language(workshop=workshop, language=language, actor=Actor.user(request.user))
    return f"every message is in {Language(language).label} from now on."


def _phone(workshop: Workshop, request: HttpRequest) -> str:
    number = request.POST.get("phone", "")
    changed = change_phone(
        workshop=workshop, phone=number, actor=Actor.user(request.user)
    )
    return f"offers and money go to {changed.phone} from now on."


CHANGES = {
    "capacity": _capacity,
    "period": _period,
    "language": _language,
    "phone": _phone,
}


def _pieces(request: HttpRequest) -> int:
    pieces = whole_number(request.POST.get("pieces", ""), most=7)
    if pieces is None:
        raise Invalid("Say how many pieces a week, as a whole number.", field="pieces")
    return pieces


def _day(request: HttpRequest, name: str) -> dt.date:
    day = plain_day(request.POST.get(name, "").strip())
    if day is None:
        raise Invalid("Give both days.", field=name)
    return day
