"""One payment: what it pays for, what the wallet said, asking it, declaring it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from payments.console.words import outcome_words
from payments.enums import PAYOUT_UNCLEAR, PayoutState
from payments.models import Payout, PayoutLine, StatusQuery, WalletCallback
from payments.services.asking import ask_now
from payments.services.declaring import declare_not_paid
from payments.services.results import clear_conflict
from payments.services.wallet import start_channel
from vrp.accounts.enums import Permission
from vrp.accounts.permissions import require
from vrp.console.guard import member, recently_proved
from vrp.console.history import event_rows
from vrp.console.paging import page_of
from vrp.console.templatetags import ui
from vrp.errors import DomainError, IllegalMove, Invalid
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.text import typed


def find_payout(run_pk: int, pk: int) -> Payout:
    """A payment of this run, or 404."""
    payout = (
        Payout.objects.select_related(
            "workshop__area", "run__made_by", "run__approved_by"
        )
        .filter(pk=pk, run_id=run_pk)
        .first()
    )
    if payout is None:
        raise Http404
    return payout


@member
@require_GET
def page(request: HttpRequest, run_pk: int, pk: int) -> HttpResponse:
    """From the payment down to each graded batch behind it. A field worker opens those
    to her regions' workshops."""
    payout = find_payout(run_pk, pk)
    limit = request.grant.region_limit  # type: ignore[attr-defined]
    if limit is not None and payout.workshop.area.region not in limit:
        raise Http404
    return _page(request, payout)


def _page(request: HttpRequest, payout: Payout, error: str = "") -> HttpResponse:
    grant = request.grant  # type: ignore[attr-defined]
    lines = PayoutLine.objects.filter(payout=payout).select_related(
        "payable__inspection__batch__job__work_order__component",
        "payable__inspection__grader",
    )
    events = Event.objects.filter(subject_type="payout", subject_id=payout.pk)
    queries = StatusQuery.objects.filter(payout=payout).select_related("asked_by")
    context = {
        "payout": payout,
        "words": outcome_words(payout),
        "facts": _facts(payout),
        "lines": lines.order_by("id")[:500],
        "queries": queries.order_by("due_at", "id"),
        "callbacks": WalletCallback.objects.filter(payout=payout).order_by("id"),
        "events": event_rows(events.order_by("id")),
        "is_unclear": payout.state in PAYOUT_UNCLEAR,
        "may_make": grant.may(Permission.MAKE_PAYOUTS),
        "in_review": payout.state == PayoutState.REVIEW,
        "may_approve": grant.may(Permission.APPROVE_PAYOUTS),
        "is_maker": payout.run.made_by_id == request.user.pk,
        "error": error,
    }
    status = 422 if error else 200
    return render(request, "payments/payout.html", context, status=status)


def _facts(payout: Payout) -> list[dict[str, Any]]:
    run = payout.run
    return [
        {
            "label": "Workshop",
            "value": str(payout.workshop),
            "url": f"/ops/workshops/{payout.workshop_id}/",
        },
        {"label": "Wallet", "value": ui.phone(payout.phone)},
        {"label": "Made by", "value": str(run.made_by), "note": ui.when(run.made_at)},
        {
            "label": "Approved by",
            "value": str(run.approved_by or ""),
            "note": ui.when(run.approved_at) if run.approved_at else "",
        },
        {"label": "Accepted", "value": ui.when(payout.sent_at)},
        {"label": "Settled", "value": ui.when(payout.settled_at)},
        {"label": "Receipt", "value": payout.receipt},
        {"label": "Our reference", "value": str(payout.originator_id)},
        {"label": "Wallet's reference", "value": payout.conversation_id},
    ]


@member
@require_GET
def conflicts(request: HttpRequest) -> HttpResponse:
    """Callbacks that contradict what was known; each is kept and changed nothing."""
    rows = WalletCallback.objects.filter(is_conflict=True)
    page = page_of(request, rows.select_related("payout__workshop", "payout__run"))
    may_make = request.grant.may(Permission.MAKE_PAYOUTS)  # type: ignore[attr-defined]
    context = {"page": page, "may_make": may_make}
    return render(request, "payments/conflicts.html", context)


@member
@require_POST
@require(Permission.MAKE_PAYOUTS)
def clear(request: HttpRequest, pk: int) -> HttpResponse:
    """POST ``note``: this contradiction has been looked at; the note says the result."""
    callback = WalletCallback.objects.filter(pk=pk).first()
    if callback is None:
        raise Http404
    try:
        clear_conflict(
            callback=callback,
            actor=Actor.user(request.user),
            note=typed(request.POST.get("note", ""), "note", most=500),
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Noted. The callback itself stays on record.")
    return redirect("payout-conflicts")


@member
@require_POST
@require(Permission.MAKE_PAYOUTS)
def query(request: HttpRequest, run_pk: int, pk: int) -> HttpResponse:
    """POST: ask the wallet what became of an unknown payment. Never sends it again."""
    payout = find_payout(run_pk, pk)
    try:
        ask_now(payout=payout, actor=Actor.user(request.user), user=request.user)  # type: ignore[arg-type]
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The wallet is asked. Its answer shows here.")
    return redirect("payout", run_pk=payout.run_id, pk=payout.pk)


@member
@require_POST
@require(Permission.APPROVE_PAYOUTS)
@recently_proved
def declare(request: HttpRequest, run_pk: int, pk: int) -> HttpResponse:
    """POST ``note``: by other evidence than the wallet's answers it was not paid."""
    payout = find_payout(run_pk, pk)
    try:
        declare_not_paid(
            payout=payout,
            user=request.user,  # type: ignore[arg-type]
            note=typed(request.POST.get("note", ""), "note", most=500),
            actor=Actor.user(request.user),
        )
    except Invalid as error:
        return _page(request, payout, error.message)
    except IllegalMove as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Declared not paid. It is owed again.")
    return redirect("payout", run_pk=payout.run_id, pk=payout.pk)


@member
@require_POST
@require(Permission.MAKE_PAYOUTS)
def start(request: HttpRequest) -> HttpResponse:
    """POST: start the stopped payout channel again, under one's own name."""
    start_channel(tenant=request.tenant, actor=Actor.user(request.user))  # type: ignore[attr-defined]
    messages.success(request, "The payout channel is open. What waits leaves now.")
    return redirect("payouts")
