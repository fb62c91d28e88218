"""What is owed, the runs that pay it, and the second pair of eyes."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import pluralize
from django.views.decorators.http import require_GET, require_POST

from payments.console.words import bar_of, outcome_words, read_total
from payments.enums import (
    PAYOUT_UNCLEAR,
    PAYOUT_UNDER_WAY,
    HoldReason,
    PayoutState,
    RunState,
)
from payments.models import Hold, Payable, Payout, PayoutRun, WalletCredential
from payments.queries.owed import open_payables, owed_by_workshop
from payments.queries.preview import preview_run, today_of
from payments.services.runs import approve_run, cancel_run, make_run
from vrp.accounts.enums import Permission
from vrp.accounts.permissions import require
from vrp.console.guard import member, recently_proved
from vrp.console.history import event_rows
from vrp.console.paging import page_of
from vrp.console.templatetags import ui
from vrp.digits import plain_day, whole_number
from vrp.errors import DomainError, Invalid
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.text import typed

VIEWS = [("owed", "Owed now"), ("runs", "Runs"), ("payments", "Payments")]
FILTERS = [
    ("", "all", tuple(PayoutState.values)),
    ("paid", "paid", (PayoutState.PAID,)),
    ("under_way", "under way", PAYOUT_UNDER_WAY),
    ("unclear", "unknown", PAYOUT_UNCLEAR),
    ("failed", "failed", (PayoutState.FAILED,)),
]
STATES_OF = {name: states for name, _, states in FILTERS}


@member
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Three lists under one roof. GET: ``view`` (owed, runs, payments), ``q`` (a
    workshop's code or name; a run's number), ``state`` (payments only)."""
    view = request.GET.get("view", "owed")
    if view not in dict(VIEWS):
        view = "owed"
    q = request.GET.get("q", "").replace("\x00", "").strip()[:60]
    context: dict[str, Any] = {"view": view, "views": VIEWS, "q": q}
    if view == "runs":
        context["page"] = page_of(request, runs_with_counts(q), order=("-number",))
    elif view == "payments":
        context |= _payments(request, Payout.objects.filter(_of_workshop(q)))
    else:
        rows = owed_by_workshop().filter(_code_or_name(q))
        context["page"] = page_of(request, rows, order=("code",))
    context |= {
        "tiles": _tiles(request),
        "wallet": WalletCredential.objects.first(),
        "may_make": request.grant.may(Permission.MAKE_PAYOUTS),  # type: ignore[attr-defined]
    }
    return render(request, "payments/home.html", context)


def _code_or_name(q: str, to: str = "") -> Q:
    if not q:
        return Q()
    return Q(**{f"{to}code__icontains": q}) | Q(**{f"{to}name__icontains": q})


def _of_workshop(q: str) -> Q:
    found = _code_or_name(q, "workshop__")
    return found | Q(receipt__iexact=q) if q else found


def runs_with_counts(q: str = "") -> QuerySet[PayoutRun]:
    """Runs with ``paid``, ``failed``, ``unclear`` and ``all_payouts`` counted."""
    rows = PayoutRun.objects.select_related("made_by", "approved_by")
    if q:
        number = whole_number(q.upper().removeprefix("PR-"))
        rows = rows.none() if number is None else rows.filter(number=number)
    return rows.annotate(
        all_payouts=_payouts(Q()),
        paid=_payouts(Q(state=PayoutState.PAID)),
        failed=_payouts(Q(state=PayoutState.FAILED)),
        unclear=_payouts(Q(state__in=PAYOUT_UNCLEAR)),
    )


def _payouts(which: Q) -> Coalesce:
    """How many of a run: counted for the runs that are shown, not for all of them."""
    rows = Payout.objects.filter(which, run=OuterRef("pk")).order_by()
    counts = rows.values("run").annotate(found=Count("id")).values("found")
    return Coalesce(Subquery(counts), 0)


def _tiles(request: HttpRequest) -> list[dict[str, Any]]:
    """Owed, under way and unknown, in three queries."""
    currency = request.tenant.currency  # type: ignore[attr-defined]
    owed = open_payables().aggregate(
        minor=Coalesce(Sum("open_minor"), 0),
        workshops=Count("workshop", distinct=True),
    )
    unfinished = Payout.objects.filter(state__in=(PayoutState.DRAFT, *PAYOUT_UNDER_WAY))
    waiting = unfinished.aggregate(
        minor=Coalesce(Sum("amount_minor", filter=Q(state__in=PAYOUT_UNDER_WAY)), 0),
        count=Count("id", filter=Q(state__in=PAYOUT_UNDER_WAY)),
        unclear=Count("id", filter=Q(state__in=PAYOUT_UNCLEAR)),
        drafts=Coalesce(Sum("amount_minor", filter=Q(state=PayoutState.DRAFT)), 0),
    )
    drafts = PayoutRun.objects.filter(state=RunState.DRAFT).count()
    return [
        {
            "label": "Owed, in no run yet",
            "value": ui.money(owed["minor"], currency),
            "detail": f"{owed['workshops']:,} workshop{pluralize(owed['workshops'])}",
            "icon": "money",
            "url": "?view=owed",
        },
        {
            "label": "To be approved",
            "value": ui.money(waiting["drafts"], currency),
            "detail": f"{drafts:,} run{'' if drafts == 1 else 's'}",
            "icon": "eye",
            "url": "?view=runs",
        },
        {
            "label": "Under way",
            "value": ui.money(waiting["minor"], currency),
            "detail": f"{waiting['count']:,} payment{pluralize(waiting['count'])}",
            "icon": "send",
            "url": "?view=payments&state=under_way",
        },
        {
            "label": "Unknown",
            "value": waiting["unclear"],
            "detail": "payments to clear up",
            "icon": "question",
            "tone": "warn" if waiting["unclear"] else "",
            "url": "?view=payments&state=unclear",
        },
    ]


def _payments(
    request: HttpRequest, rows: QuerySet[Payout], order: tuple[str, ...] = ("-id",)
) -> dict[str, Any]:
    """One page of payments with what each state means, in words."""
    state = request.GET.get("state", "")
    if state not in STATES_OF:
        state = ""
    if state:
        rows = rows.filter(state__in=STATES_OF[state])
    page = page_of(request, rows.select_related("workshop", "run"), order=order)
    for payout in page.rows:
        payout.words = outcome_words(payout)
    return {"page": page, "state": state, "filters": FILTERS}


@member
@require(Permission.MAKE_PAYOUTS)
def new(request: HttpRequest) -> HttpResponse:
    """Preview a run; POST makes it.

    GET and POST: ``up_to`` (yyyy-mm-dd, default today). POST: ``workshop`` (repeated:
    the id, or ``id:minor units seen``) and ``chosen`` = 1 when the boxes were shown;
    without ``chosen`` all workshops are taken.
    """
    tenant = request.tenant  # type: ignore[attr-defined]
    posted = request.method == "POST"
    up_to, error = _date(request.POST if posted else request.GET, today_of(tenant))
    if posted and not error:
        try:
            ids, seen = _chosen(request)
            run = make_run(
                tenant=tenant,
                made_by=request.user,  # type: ignore[arg-type]
                actor=Actor.user(request.user),
                up_to=up_to,
                workshop_ids=ids,
                expected_minor=seen,
            )
        except Invalid as problem:
            error = problem.message
        else:
            messages.success(request, f"{run} is made. Another person approves it now.")
            return redirect("payout-run", pk=run.pk)
    preview = preview_run(tenant, up_to=up_to)
    context = {"preview": preview, "error": error, "today": today_of(tenant)}
    status = 422 if error else 200
    return render(request, "payments/new.html", context, status=status)


def _date(values: Any, today: dt.date) -> tuple[dt.date, str]:
    text = values.get("up_to", "")
    if not text:
        return today, ""
    day = plain_day(text)
    return (day, "") if day else (today, "Choose a date.")


def _chosen(request: HttpRequest) -> tuple[list[int] | None, int | None]:
    """Workshop ids that were ticked, and what the page said they would be sent."""
    rows = [row.partition(":") for row in request.POST.getlist("workshop")]
    if not rows:
        if request.POST.get("chosen"):
            raise Invalid("Choose at least one workshop.")
        return None, None
    chosen: list[int] = []
    seen = 0
    for pk, _, minor in rows:
        key, amount = whole_number(pk), whole_number(minor or "0")
        if key is None or amount is None:
            raise Invalid("Open the page again: the choice could not be read.")
        chosen.append(key)
        seen += amount
    all_seen = all(minor for _, _, minor in rows)
    return chosen, seen if all_seen else None


def find_run(pk: int) -> PayoutRun:
    """The run with its people, or 404."""
    run = (
        PayoutRun.objects.select_related("tenant", "made_by", "approved_by")
        .filter(pk=pk)
        .first()
    )
    if run is None:
        raise Http404
    return run


@member
@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: people, totals, each payment. GET: ``state`` and the page's cursor."""
    return _page(request, find_run(pk))


def _page(request: HttpRequest, run: PayoutRun, error: str = "") -> HttpResponse:
    grant = request.grant  # type: ignore[attr-defined]
    holds = Hold.objects.filter(run=run).values("reason")
    events = Event.objects.filter(subject_type="payoutrun", subject_id=run.pk)
    context = progress_context(request, run) | {
        "error": error,
        "held_minor": run.gross_minor - run.total_minor,
        "held": [
            {**row, "words": HoldReason(row["reason"]).label}
            for row in holds.annotate(
                minor=Sum("amount_minor"), workshops=Count("id")
            ).order_by("-minor")
        ],
        "held_rows": Hold.objects.filter(run=run).select_related("workshop")[:100],
        "covered": Payable.objects.filter(lines__payout__run=run).aggregate(
            payables=Count("id", distinct=True)
        )["payables"],
        "events": event_rows(events.order_by("id")[:20]),
        "may_approve": grant.may(Permission.APPROVE_PAYOUTS),
        "may_make": grant.may(Permission.MAKE_PAYOUTS),
        "is_maker": run.made_by_id == request.user.pk,
    }
    return render(request, "payments/run.html", context, status=422 if error else 200)


def progress_context(request: HttpRequest, run: PayoutRun) -> dict[str, Any]:
    """What moves while a run is paid."""
    rows = Payout.objects.filter(run=run)
    sums = list(
        rows.values("state").annotate(count=Count("id"), minor=Sum("amount_minor"))
    )
    counts: dict[str, int] = {row["state"]: row["count"] for row in sums}
    minor: dict[str, int] = {row["state"]: row["minor"] for row in sums}
    return _payments(request, rows, order=("id",)) | {
        "run": run,
        "bar": bar_of(counts),
        "count": sum(counts.values()),
        "paid_minor": minor.get(PayoutState.PAID, 0),
        "failed_minor": minor.get(PayoutState.FAILED, 0),
        "failed": counts.get(PayoutState.FAILED, 0),
        "unclear": sum(counts.get(state, 0) for state in PAYOUT_UNCLEAR),
        "is_live": run.state == RunState.APPROVED,
        "is_draft": run.state in (RunState.DRAFT, RunState.CANCELLED),
        "wallet": WalletCredential.objects.first(),
        "may_make": request.grant.may(Permission.MAKE_PAYOUTS),  # type: ignore[attr-defined]
    }


@member
@require_GET
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """HTML fragment of the run's payments; asks for the whole page once all is final."""
    run = find_run(pk)
    answer = render(request, "payments/_progress.html", progress_context(request, run))
    if run.state != RunState.APPROVED:
        answer["X-Refresh-Done"] = "page"
    return answer


@member
@require_POST
@require(Permission.APPROVE_PAYOUTS)
@recently_proved
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """POST ``total``: the run's total as the checker has it from her own list."""
    run = find_run(pk)
    try:
        run = approve_run(
            run=run,
            approver=request.user,  # type: ignore[arg-type]
            total_minor=read_total(request.POST.get("total", "")),
            actor=Actor.user(request.user),
        )
    except Invalid as error:
        return _page(request, run, error.message)
    messages.success(request, f"{run} is approved. The payments leave now.")
    return redirect("payout-run", pk=run.pk)


@member
@require_POST
@require(Permission.MAKE_PAYOUTS)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """POST ``reason`` (optional): cancel a run that nobody has approved."""
    run = find_run(pk)
    try:
        cancel_run(
            run=run,
            actor=Actor.user(request.user),
            reason=typed(request.POST.get("reason", ""), "reason", most=500),
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request, f"{run} is cancelled; everything in it is owed again."
        )
    return redirect("payout-run", pk=run.pk)
