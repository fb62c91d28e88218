"""The trial balance, and the statement of one account."""

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from payments.enums import AccountKind
from payments.models import Account, Payout, Posting
from payments.queries import (
    account_balances,
    balance,
    book_differences,
    statement,
    trial_balance,
)
from payments.queries.ledger import StatementRow
from qc.models import Inspection
from vrp.console.guard import member
from vrp.console.paging import Page, page_of

NAMES = {
    AccountKind.PIECE_WORK: "Earned by workshops",
    AccountKind.WORKSHOP: "Owed",
    AccountKind.IN_TRANSIT: "Approved and under way",
    AccountKind.WALLET: "Paid out of the wallet",
}
CAUSE = re.compile(r"(inspection|payout):([0-9]+)")


SHOWS = [("owed", "With a balance"), ("all", "All")]


@member
@require_GET
def trial(request: HttpRequest) -> HttpResponse:
    """All accounts, and the workshops one by one. GET: ``q`` (workshop code or name),
    ``show`` (owed: those with a balance; all)."""
    show = request.GET.get("show", "owed")
    show = show if show in dict(SHOWS) else "owed"
    q = request.GET.get("q", "").replace("\x00", "").strip()[:60]
    balances = account_balances()
    workshops = Account.objects.filter(kind=AccountKind.WORKSHOP)
    if q:
        workshops = workshops.filter(workshop__code__icontains=q) | workshops.filter(
            workshop__name__icontains=q
        )
    if show == "owed":
        workshops = workshops.filter(
            pk__in=[pk for pk, minor in balances.items() if minor]
        )
    workshops = workshops.select_related("workshop")
    page = page_of(request, workshops, order=("workshop__code", "id"))
    for row in page.rows:
        row.balance_minor = balances.get(row.pk, 0)
        row.owed_minor = -row.balance_minor
    books = trial_balance(balances)
    context = {
        "trial": books,
        "differences": book_differences(books),
        "page": page,
        "q": q,
        "show": show,
        "shows": SHOWS,
    }
    return render(request, "payments/ledger.html", context)


@member
@require_GET
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """Postings of one account, newest first, with the running balance. Of the workshops'
    accounts a field worker opens those of her regions."""
    found = Account.objects.select_related("workshop__area").filter(pk=pk).first()
    limit = request.grant.region_limit  # type: ignore[attr-defined]
    if found and found.workshop and limit is not None:
        found = found if found.workshop.area.region in limit else None
    if found is None:
        raise Http404
    postings = Posting.objects.filter(account=found).select_related("entry")
    page: Page = page_of(request, postings)
    rows = statement(found, page.rows)
    # People read what is owed as a positive number; only costs are a debit by nature.
    sign = 1 if found.kind == AccountKind.PIECE_WORK else -1
    kind = found.get_kind_display().capitalize()
    context = {
        "account": found,
        "title": f"Owed to {found.workshop}" if found.workshop else kind,
        "balance_label": NAMES[AccountKind(found.kind)],
        "balance_shown": sign * balance(found),
        "rows": _with_links(rows, sign),
        "page": page,
    }
    return render(request, "payments/account.html", context)


def _with_links(rows: list[StatementRow], sign: int) -> list[dict[str, Any]]:
    """Rows with the address of the batch or payment that caused them."""
    causes = [CAUSE.match(row.posting.entry.cause) for row in rows]
    ids = {kind: {int(m[2]) for m in causes if m and m[1] == kind} for kind in _FIND}
    urls = {kind: find(ids[kind]) for kind, find in _FIND.items()}
    return [
        {
            "entry": row.posting.entry,
            "debit": max(0, row.posting.amount_minor),
            "credit": max(0, -row.posting.amount_minor),
            "shown": sign * row.balance_minor,
            "url": urls[match[1]].get(int(match[2]), "") if match else "",
        }
        for row, match in zip(rows, causes, strict=True)
    ]


def _batches(ids: set[int]) -> dict[int, str]:
    rows = Inspection.objects.filter(pk__in=ids).values_list("pk", "batch_id")
    return {pk: reverse("batch", args=[batch]) for pk, batch in rows}


def _payouts(ids: set[int]) -> dict[int, str]:
    rows = Payout.objects.filter(pk__in=ids).values_list("pk", "run_id")
    return {pk: reverse("payout", args=[run, pk]) for pk, run in rows}


_FIND = {"inspection": _batches, "payout": _payouts}
