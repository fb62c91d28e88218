"""Sending payouts: each at most once, whatever dies in between.

The row and its id are committed long before the call. A worker claims the row, makes the
call outside of any transaction, and writes what came of it. If it dies in between, the
lease runs out and the payout is *unknown*: nobody sends it again, the wallet is asked.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from payments.codes import LOCKS_US_OUT
from payments.daraja import Accepted, Daraja, NotSent, Outcome, Refused
from payments.enums import PayoutState
from payments.limits import (
    FIRST_BACKOFF,
    LONGEST_BACKOFF,
    RESULT_PATIENCE,
    STOPPED_PAUSE,
)
from payments.models import Payout, WalletCredential
from payments.services.settling import (
    lock_payout,
    mark_failed,
    mark_unknown,
    move,
)
from payments.services.wallet import stop_channel
from vrp.events.services import Actor, record

DARAJA = Actor.carrier("daraja")
CLOCK = Actor.system("clock")
RESTORE = Actor.system("restore")


def credential_of(tenant_id: int) -> WalletCredential | None:
    """The tenant's account with the operator."""
    return WalletCredential.objects.filter(tenant_id=tenant_id).first()


def send(payout: Payout) -> None:
    """Deliver one claimed payout (the outbox's worker). The claim is committed."""
    credential = credential_of(payout.tenant_id)
    if credential is None:
        put_back(payout.pk, "This brand has no account with the wallet.", STOPPED_PAUSE)
        return
    if credential.is_stopped:
        put_back(payout.pk, "The channel is stopped.", STOPPED_PAUSE)
        return
    outcome = Daraja(credential).pay(payout, remarks=f"Payment {payout.run}")
    take_answer(payout.pk, outcome)


@transaction.atomic
def take_answer(payout_id: int, outcome: Outcome) -> None:
    """Write down the wallet's synchronous answer; a result may have been quicker."""
    payout = lock_payout(payout_id)
    if isinstance(outcome, Accepted):
        _accepted(payout, outcome)
        return
    if payout.state != PayoutState.SENDING:
        # The result came first, or the lease ran out and it counts as unknown.
        return
    if isinstance(outcome, Refused) and outcome.permanent:
        mark_failed(payout, code=outcome.code, words=outcome.words, actor=DARAJA)
    elif isinstance(outcome, Refused):
        stop_channel(
            tenant=payout.tenant,
            code=outcome.code,
            reason=outcome.words,
            actor=DARAJA,
        )
        _queue_again(payout, outcome.words, STOPPED_PAUSE)
    elif isinstance(outcome, NotSent):
        pause = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(payout.attempts, 8))
        _queue_again(payout, outcome.words, pause)
    else:
        mark_unknown(payout, why=outcome.words, actor=DARAJA)


def _accepted(payout: Payout, outcome: Accepted) -> None:
    if not payout.conversation_id:
        payout.conversation_id = outcome.conversation_id
        payout.sent_at = timezone.now()
        record("payout.sent", subject=payout, actor=DARAJA)
    if payout.state == PayoutState.SENDING:
        move(payout, PayoutState.ACCEPTED)
        payout.due_at, payout.last_error = timezone.now() + RESULT_PATIENCE, ""
    payout.save()


@transaction.atomic
def put_back(payout_id: int, why: str, pause: timedelta) -> None:
    """Back to the queue, certainly not sent."""
    payout = lock_payout(payout_id)
    if payout.state == PayoutState.SENDING:
        _queue_again(payout, why, pause)


def _queue_again(payout: Payout, why: str, pause: timedelta) -> None:
    move(payout, PayoutState.QUEUED)
    payout.due_at, payout.last_error = timezone.now() + pause, why[:500]
    payout.save()


def lost(payout: Payout) -> None:
    """The worker died with the payout in its hands: it may have been sent."""
    why = "The worker was lost while sending."
    mark_unknown(lock_payout(payout.pk), why=why, actor=CLOCK)


def perhaps_sent_since(payout: Payout) -> None:
    """A backup was restored in which the payout was due (row locked): ask, never send.

    Its id is the same as then, so the wallet's answer is about this very payment.
    """
    why = "Restored from a backup: it may have been sent since."
    mark_unknown(lock_payout(payout.pk), why=why, actor=RESTORE)


def asking_is_pointless(credential: WalletCredential) -> bool:
    """Whether the wallet would refuse a question for the reason that stopped us."""
    return credential.is_stopped and (
        credential.stopped_code in LOCKS_US_OUT
        or credential.stopped_code.startswith("400.")
    )


def chase_silent(limit: int = 200) -> int:
    """Accepted long ago and no result: unknown, ask. Returns how many."""
    overdue = Payout.objects.filter(
        state=PayoutState.ACCEPTED, due_at__lt=timezone.now()
    )
    count = 0
    for pk in overdue.order_by("due_at").values_list("pk", flat=True)[:limit]:
        with transaction.atomic():
            payout = lock_payout(pk)
            if payout.state == PayoutState.ACCEPTED:
                mark_unknown(payout, why="Accepted, but no result came.", actor=CLOCK)
                count += 1
    return count
