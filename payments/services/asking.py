"""Asking the wallet what became of an unknown payout."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from payments.daraja import Accepted, Daraja, NotSent, Outcome, Refused
from payments.enums import PAYOUT_UNCLEAR, PayoutState, QueryState
from payments.limits import ANSWER_PATIENCE, STOPPED_PAUSE
from payments.models import Payout, StatusQuery
from payments.services.payouts import (
    CLOCK,
    DARAJA,
    asking_is_pointless,
    credential_of,
)
from payments.services.settling import lock_payout, mark_review
from payments.services.wallet import stop_channel
from vrp.accounts.models import User
from vrp.errors import IllegalMove
from vrp.events.outbox import enqueue
from vrp.events.services import Actor, record
from vrp.haste import hasten

# Attempts that did not reach the wallet before one question is given up.
TRIES = 5
TRY_AGAIN = hasten(timedelta(seconds=20))


@transaction.atomic
def ask_now(*, payout: Payout, actor: Actor, user: User | None = None) -> StatusQuery:
    """A person asks about an unknown payout now. A double click asks once.

    Raises ``IllegalMove`` for a payout whose outcome is known or still awaited.
    """
    payout = lock_payout(payout.pk)
    if payout.state not in PAYOUT_UNCLEAR:
        raise IllegalMove(
            f"This payment is {payout.get_state_display()}: there is nothing to ask."
        )
    now = timezone.now()
    rows = StatusQuery.objects.filter(payout=payout)
    under_way = (
        rows.filter(state__in=(QueryState.QUEUED, QueryState.SENDING), due_at__lte=now)
        | rows.filter(state=QueryState.ASKED, asked_at__gt=now - timedelta(seconds=10))
    ).first()
    if under_way is not None:
        return under_way
    query = StatusQuery.objects.create(
        tenant=payout.tenant, payout=payout, due_at=now, asked_by=user
    )
    record("payout.asked", subject=payout, actor=actor)
    enqueue("wallet_query", query)
    return query


def ask(query: StatusQuery) -> None:
    """Deliver one claimed question (the outbox's worker)."""
    query = StatusQuery.objects.select_related("payout").get(pk=query.pk)
    credential = credential_of(query.tenant_id)
    if query.payout.state not in PAYOUT_UNCLEAR:
        _close(query, QueryState.DROPPED)
    elif credential is None or asking_is_pointless(credential):
        _again(query, "The channel is stopped.", STOPPED_PAUSE)
    else:
        _take_answer(query.pk, Daraja(credential).ask(query))


@transaction.atomic
def _take_answer(query_id: int, outcome: Outcome) -> None:
    query = (
        StatusQuery.objects.select_for_update(of=("self",))
        .select_related("tenant")
        .get(pk=query_id)
    )
    if isinstance(outcome, Accepted):
        query.conversation_id = outcome.conversation_id
        query.save(update_fields=["conversation_id"])
    if query.state != QueryState.SENDING:
        # The answer was quicker than the acceptance.
        return
    if isinstance(outcome, NotSent) and query.attempts < TRIES:
        _again(query, outcome.words, TRY_AGAIN)
    elif isinstance(outcome, NotSent | Refused):
        if isinstance(outcome, Refused) and not outcome.permanent:
            stop_channel(
                tenant=query.tenant,
                code=outcome.code,
                reason=outcome.words,
                actor=DARAJA,
            )
        query.last_error = outcome.words[:500]
        _close(query, QueryState.FAILED)
    else:
        # Accepted, or perhaps: an answer may come either way.
        query.asked_at = timezone.now()
        _close(query, QueryState.ASKED)


def _close(query: StatusQuery, state: QueryState) -> None:
    query.state, query.leased_until = state, None
    query.save()


def _again(query: StatusQuery, why: str, pause: timedelta) -> None:
    query.due_at, query.last_error = timezone.now() + pause, why[:500]
    _close(query, QueryState.QUEUED)


def ask_again(query: StatusQuery) -> None:
    """The worker was lost while asking: a question may be asked twice."""
    _again(query, "The worker was lost while asking.", timedelta(0))


def hand_to_people(limit: int = 200) -> int:
    """Unknown payouts with no question left: a person must look. Returns how many."""
    now = timezone.now()
    still_asking = StatusQuery.objects.filter(
        state__in=(QueryState.QUEUED, QueryState.SENDING)
    ) | StatusQuery.objects.filter(
        state=QueryState.ASKED, asked_at__gt=now - ANSWER_PATIENCE
    )
    stuck = Payout.objects.filter(state=PayoutState.UNKNOWN).exclude(
        pk__in=still_asking.values("payout_id")
    )
    count = 0
    for pk in stuck.order_by("id").values_list("pk", flat=True)[:limit]:
        with transaction.atomic():
            payout = lock_payout(pk)
            if payout.state == PayoutState.UNKNOWN:
                mark_review(
                    payout,
                    why="The wallet was asked several times and did not decide it.",
                    actor=CLOCK,
                )
                count += 1
    return count
