"""Jobs: all of them by state, and the life of one."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from orders.console.orders import reason_of
from orders.enums import JOB_AT_WORKSHOP, JobState
from orders.models import Job
from orders.queries import late_jobs, pace, slow_jobs
from orders.services.jobs import close_short, withdraw_job
from payments.models import Payable
from qc.models import Batch
from vrp.accounts.enums import Permission, Role
from vrp.accounts.permissions import require
from vrp.console.guard import member
from vrp.console.history import event_rows
from vrp.console.paging import page_of
from vrp.console.templatetags import ui
from vrp.console.today import Card, waits_for
from vrp.digits import whole_number
from vrp.errors import DomainError
from vrp.events.models import Event
from vrp.events.services import Actor

AT_WORK = "at_work"
TABS = [
    (AT_WORK, "At work"),
    (JobState.OFFERED, "Offered"),
    (JobState.DELIVERED, "Delivered"),
    (JobState.DONE, "Graded"),
    ("returned", "Came back"),
    ("all", "All"),
]
RETURNED = (JobState.DECLINED, JobState.LAPSED, JobState.WITHDRAWN)
# Tabs in which the nearest due day stands first; elsewhere the newest job does.
BY_DUE = {AT_WORK, JobState.OFFERED, JobState.DELIVERED}


def visible(request: HttpRequest) -> QuerySet[Job]:
    """Jobs this person may see: a field worker those of her regions."""
    limit = request.grant.region_limit  # type: ignore[attr-defined]
    rows = Job.objects.all()
    return rows if limit is None else rows.filter(workshop__area__region__in=limit)


@require_safe
@member
def job_list(request: HttpRequest) -> HttpResponse:
    """GET: ``state`` (at_work, a state, returned, all), ``q`` (a job's number, a workshop's
    code or name, a component, a PO number), ``late`` (1: late, or likely to be),
    ``order`` (an order's id)."""
    state = request.GET.get("state", AT_WORK)
    state = state if state in dict(TABS) else AT_WORK
    q = request.GET.get("q", "").replace("\x00", "").strip()[:60]
    late = request.GET.get("late") == "1"
    today = timezone.localdate()
    rows = _in_state(visible(request), state).filter(_named(q))
    if late:
        rows = rows.filter(
            Q(pk__in=late_jobs(today).values("pk"))
            | Q(pk__in=slow_jobs(today).values("pk"))
        )
    order = whole_number(request.GET.get("order", ""))
    if order is not None:
        rows = rows.filter(work_order__line__order=order)
    rows = rows.select_related(
        "workshop__area", "work_order__component", "work_order__line__order"
    )
    page = page_of(
        request, rows, order=("due_on", "id") if state in BY_DUE else ("-number",)
    )
    for job in page.rows:
        job.pace = pace(job, today)
    context = {
        "page": page,
        "tabs": TABS,
        "state": state,
        "q": q,
        "late": late,
        "stats": _stats(request),
    }
    return render(request, "orders/jobs.html", context)


def _in_state(rows: QuerySet[Job], state: str) -> QuerySet[Job]:
    if state == AT_WORK:
        return rows.filter(state__in=JOB_AT_WORKSHOP)
    if state == "returned":
        return rows.filter(state__in=RETURNED)
    return rows if state == "all" else rows.filter(state=state)


def _named(words: str) -> Q:
    if not words:
        return Q()
    found = (
        Q(workshop__code__icontains=words)
        | Q(workshop__name__icontains=words)
        | Q(work_order__component__code__icontains=words)
        | Q(work_order__line__order__po_number__icontains=words)
    )
    number = whole_number(words)
    if number is not None:
        found |= Q(number=number)
    return found


def _stats(request: HttpRequest) -> dict[str, int]:
    today, rows = timezone.localdate(), visible(request)
    return {
        "at_work": rows.filter(state__in=JOB_AT_WORKSHOP).count(),
        "offered": rows.filter(state=JobState.OFFERED).count(),
        "late": rows.filter(pk__in=late_jobs(today).values("pk")).count(),
        "slow": rows.filter(pk__in=slow_jobs(today).values("pk")).count(),
    }


@require_safe
@member
def job_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The life of one job. Forms on the page: ``.../withdraw/`` and ``.../close-short/``
    (``reason``)."""
    job = _job(request, pk)
    may = request.grant.may(Permission.PLAN)  # type: ignore[attr-defined]
    open_now = job.state in (JobState.OFFERED, *JOB_AT_WORKSHOP)
    history = Event.objects.filter(subject_type="job", subject_id=job.pk)
    batches = Batch.objects.filter(job=job).select_related("inspection")
    payables = Payable.objects.filter(inspection__batch__job=job)
    context = {
        "job": job,
        "pace": pace(job, timezone.localdate()),
        "steps": steps(job),
        "facts": _facts(job),
        "picture": _picture(job),
        "proposal": _proposal(job),
        "batches": list(batches.order_by("number")),
        "payables": list(
            payables.select_related("inspection__batch").order_by("id")[:50]
        ),
        "deliveries": list(
            job.delivery_lines.select_related("delivery").order_by("id")[:50]
        ),
        "events": _happened(history),
        "may_withdraw": may and open_now and not job.delivered,
        "may_close": may
        and job.state in JOB_AT_WORKSHOP
        and 0 < job.delivered < job.quantity,
    }
    return render(request, "orders/job.html", context)


def _job(request: HttpRequest, pk: int) -> Job:
    rows = visible(request).select_related(
        "workshop__area", "work_order__component", "work_order__line__order__buyer"
    )
    job = rows.filter(pk=pk).first()
    if job is None:
        raise Http404
    return job


def _happened(history: QuerySet[Event]) -> list[dict[str, Any]]:
    return event_rows(history.order_by("-id")[:40])


def steps(job: Job) -> list[dict[str, Any]]:
    """A job's way, for ``{% flow %}``."""
    made = max(job.made, job.delivered)
    graded = job.good + job.scrapped
    answered = job.state not in (JobState.OFFERED, JobState.LAPSED)
    drawn: list[dict[str, Any]] = [
        {"label": "Offered", "state": "done", "at": job.offered_at,
         "detail": f"{job.offered_quantity:,} pieces"},
    ]  # fmt: skip
    if job.state in RETURNED:
        label = {
            JobState.DECLINED: "Declined",
            JobState.LAPSED: "No answer",
            JobState.WITHDRAWN: "Withdrawn",
        }[JobState(job.state)]
        why = job.get_decline_reason_display() if job.decline_reason else ""
        blocked = {"label": label, "state": "blocked", "detail": why}
        return [*drawn, blocked | {"at": job.answered_at}]
    drawn.append(
        {
            "label": "Accepted",
            "state": "done" if answered else "now",
            "detail": f"{job.quantity:,} pieces" if answered else "no answer yet",
            "at": job.answered_at,
        }
    )
    before = answered
    for label, count in (("Made", made), ("Delivered", job.delivered),
                         ("Graded", graded)):  # fmt: skip
        full = answered and count >= job.quantity
        drawn.append(
            {
                "label": label,
                "state": "done" if full else "now" if before else "waiting",
                "detail": f"{count:,} of {job.quantity:,}" if answered else "",
                "count": count,
                "of": job.quantity,
            }
        )
        before = count > 0
    return drawn


def _picture(job: Job) -> list[dict[str, Any]]:
    """Where the job's pieces are; adds up to its quantity."""
    if job.state not in (*JOB_AT_WORKSHOP, JobState.DELIVERED, JobState.DONE):
        return []
    made = max(job.made, job.delivered)
    parts = [
        ("graded good", job.good, "aa"),
        ("being graded or mended", job.delivered - job.good - job.scrapped, "a"),
        ("scrapped", job.scrapped, "scrap"),
        ("made, not delivered", made - job.delivered, "brass"),
        ("to be made", job.quantity - made, "neutral"),
    ]
    return [
        {"label": label, "value": value, "tone": tone}
        for label, value, tone in parts
        if value > 0
    ]


def _facts(job: Job) -> list[dict[str, Any]]:
    order, component = job.work_order.line.order, job.work_order.component
    workshop = job.workshop
    rows = [
        {
            "label": "Workshop",
            "value": f"{workshop}, {workshop.area.name}",
            "url": f"/ops/workshops/{workshop.pk}/",
        },
        {"label": "Phone", "value": ui.phone(workshop.phone)},
        {
            "label": "Order",
            "value": f"{order.po_number}, {order.buyer.name}",
            "url": f"/ops/orders/{order.pk}/",
        },
        {"label": "Piece", "value": f"{component.code} {component.name}"},
        {"label": "Tolerance", "value": component.tolerance},
        {"label": "Due", "value": ui.when(job.due_on)},
        {"label": "A piece", "value": ui.money(job.piece_rate_minor, job.currency)},
        {"label": "The whole job", "value": ui.money(job.value_minor, job.currency)},
    ]
    if job.state == JobState.OFFERED:
        rows.append({"label": "Answer until", "value": ui.when(job.expires_at)})
    return [row for row in rows if row["value"]]


def _proposal(job: Job) -> Any:
    """Why the matcher proposed this job, if it did."""
    try:
        return job.proposal
    except ObjectDoesNotExist:
        return None


@require_POST
@member
@require(Permission.PLAN)
def job_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """POST ``reason``: take an offer or an undelivered job back; the workshop is told."""
    job = _job(request, pk)
    try:
        reason = reason_of(request)
        withdraw_job(job=job, actor=Actor.user(request.user), reason=reason)
    except DomainError as error:
        messages.error(request, f"Job {job.number} is not withdrawn: {error.message}")
    else:
        messages.success(
            request,
            f"Job {job.number} is withdrawn and {job.workshop.code} is told. "
            "Its pieces are to be planned again.",
        )
    return redirect("job", pk=pk)


@require_POST
@member
@require(Permission.PLAN)
def job_close_short(request: HttpRequest, pk: int) -> HttpResponse:
    """POST ``reason``: let the undelivered rest go; it is to be planned again."""
    job = _job(request, pk)
    missing = job.to_deliver
    try:
        reason = reason_of(request)
        close_short(job=job, actor=Actor.user(request.user), reason=reason)
    except DomainError as error:
        messages.error(request, f"Job {job.number} stays as it is: {error.message}")
    else:
        messages.success(
            request,
            f"Job {job.number} ends with what was delivered; "
            f"{missing:,} piece{pluralize(missing, ' is,s are')} to be planned again.",
        )
    return redirect("job", pk=pk)


@waits_for(Permission.PLAN)
def jobs_wait(request: HttpRequest) -> list[Card]:
    """Jobs that are late, and jobs that will probably be."""
    today = timezone.localdate()
    return _pace_cards(late_jobs(today).count(), slow_jobs(today).count())


@waits_for(Role.FIELD)
def field_waits(request: HttpRequest) -> list[Card]:
    """Workshops of her regions to call on: no answer yet, late, or probably late."""
    grant = request.grant  # type: ignore[attr-defined]
    if grant.may(Permission.PLAN) or Role.AUDITOR in grant.roles:
        return []  # who has the planner's cards sees the whole network in them
    stats = _stats(request)
    unanswered = Card(
        "Offers without an answer",
        stats["offered"],
        "remind the workshops before the offer ends",
        "/ops/jobs/?state=offered",
    )
    return [*_pace_cards(stats["late"], stats["slow"]), unanswered]


def _pace_cards(late: int, slow: int) -> list[Card]:
    return [
        Card(
            "Jobs late",
            late,
            "their due day is over",
            "/ops/jobs/?late=1",
            tone="bad",
        ),
        Card(
            "Jobs likely late",
            slow,
            "half the time is over and they are behind",
            "/ops/jobs/?late=1",
            tone="warn",
        ),
    ]
