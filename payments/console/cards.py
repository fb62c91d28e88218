"""What waits for finance on the Today page."""

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from payments.enums import PAYOUT_UNCLEAR, RunState
from payments.models import Payout, PayoutRun, WalletCallback, WalletCredential
from payments.queries.owed import open_payables
from vrp.accounts.enums import Permission
from vrp.console.formats import format_money
from vrp.console.today import Card, waits_for
from vrp.events.models import SendingPause


@waits_for(None)
def to_compare(request: HttpRequest) -> list[Card]:
    """Nobody's offers, replies, webhooks or payouts leave: everybody is to know."""
    return [
        Card(
            "Sending is paused after a restore",
            SendingPause.active().count(),
            "compare wallet's statement and carrier's log; operations then resume it",
            "/ops/payouts/?view=payments&state=unclear",
            tone="bad",
        )
    ]


@waits_for(Permission.MAKE_PAYOUTS)
def to_pay(request: HttpRequest) -> list[Card]:
    """Trouble first, then what is owed."""
    currency = request.tenant.currency  # type: ignore[attr-defined]
    unclear = Payout.objects.filter(state__in=PAYOUT_UNCLEAR).count()
    stopped = WalletCredential.objects.filter(is_stopped=True).first()
    owed = open_payables().aggregate(
        minor=Coalesce(Sum("open_minor"), 0),
        workshops=Count("workshop", distinct=True),
    )
    conflicts = WalletCallback.objects.filter(is_conflict=True).count()
    return [
        Card(
            "Payout channel is stopped",
            1 if stopped else 0,
            stopped.stopped_reason if stopped else "",
            "/ops/payouts/",
            tone="bad",
        ),
        Card(
            "Payments unknown",
            unclear,
            "nobody knows whether they were paid; ask the wallet",
            "/ops/payouts/?view=payments&state=unclear",
            tone="unknown",
        ),
        Card(
            "Contradictions from the wallet",
            conflicts,
            "what it said later differs from what it said first",
            "/ops/payouts/conflicts/",
            tone="warn",
        ),
        Card(
            "Workshops to pay",
            owed["workshops"],
            f"{format_money(owed['minor'], currency)} owed and in no run yet",
            "/ops/payouts/new/",
        ),
    ]


@waits_for(Permission.APPROVE_PAYOUTS)
def to_approve(request: HttpRequest) -> list[Card]:
    """Runs made by other people."""
    rows = PayoutRun.objects.filter(state=RunState.DRAFT).exclude(
        made_by=request.user.pk
    )
    found = rows.aggregate(count=Count("id"), minor=Coalesce(Sum("total_minor"), 0))
    total = format_money(found["minor"], request.tenant.currency)  # type: ignore[attr-defined]
    first = rows.order_by("number").first() if found["count"] else None
    url = f"/ops/payouts/{first.pk}/" if first else "/ops/payouts/?view=runs"
    return [Card("Runs to approve", found["count"], f"{total} in all", url)]
