"""What the wallet calls back with: stored raw first, then understood, once.

A result may come before the synchronous answer, late, twice, for nothing we know, or
against what came before. Repeats are counted and do nothing. A receipt is never
overwritten; what contradicts it is kept as a conflict for a person to see.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from payments.codes import (
    DONE,
    FAILS,
    LOCKS_US_OUT,
    NO_SUCH,
    NO_SUCH_WORDS,
    NOT_DONE,
    NOT_IN_STATEMENT,
    STOPS,
    words_for,
)
from payments.enums import PayoutState, QueryState
from payments.limits import NO_SUCH_AFTER, NO_SUCH_ANSWERS
from payments.models import Payout, StatusQuery, WalletCallback
from payments.services.payouts import DARAJA, credential_of
from payments.services.settling import (
    lock_payout,
    mark_failed,
    mark_paid,
    mark_review,
    mark_unknown,
)
from payments.services.wallet import stop_channel
from payments.wallet_result import (
    WalletResult,
    read_json,
    read_result,
    text_of,
    uuid_of,
)
from vrp.errors import Invalid
from vrp.events.services import Actor, record
from vrp.haste import hasten
from vrp.tenancy.models import Tenant

log = structlog.get_logger(__name__)
# States in which the payout was never given to the wallet.
NEVER_SENT = (PayoutState.DRAFT, PayoutState.CANCELLED)
TAKEN_RECEIPT = "a receipt that another payment has"


@dataclass(frozen=True)
class Effect:
    """What a callback did, in words; a conflict contradicts what we know."""

    words: str
    is_conflict: bool = False


def take_result(*, tenant: Tenant, body: bytes) -> WalletCallback:
    """A body posted to ResultURL: the result of a payment or of a status query."""
    return _take(tenant, "result", body)


def take_timeout(*, tenant: Tenant, body: bytes) -> WalletCallback:
    """A body posted to QueueTimeOutURL: a notice, no receipt of any kind."""
    return _take(tenant, "timeout", body)


def _take(tenant: Tenant, kind: str, body: bytes) -> WalletCallback:
    # Two transactions: should the second one fail, the clock finds the stored row.
    text = body.decode("utf-8", "replace").replace("\x00", "\ufffd")
    fingerprint = hashlib.sha256(kind.encode() + b":" + body).hexdigest()
    row, is_new = WalletCallback.objects.get_or_create(
        tenant=tenant,
        fingerprint=fingerprint,
        defaults={"kind": kind, "body": text},
    )
    if not is_new:
        WalletCallback.objects.filter(pk=row.pk).update(repeats=F("repeats") + 1)
    return process(row.pk)


@transaction.atomic
def process(callback_id: int) -> WalletCallback:
    """Understand one stored callback, unless that has been done."""
    row = WalletCallback.objects.select_for_update(of=("self",)).get(pk=callback_id)
    if row.effect:
        return row
    found = read_json(row.body)
    if found is None:
        effect, payout = Effect("unreadable"), None
    elif row.kind == "timeout":
        effect, payout = _timeout(found)
    else:
        effect, payout = _result(found)
    row.effect, row.is_conflict, row.payout = (
        effect.words[:80],
        effect.is_conflict,
        payout,
    )
    row.save(update_fields=["effect", "is_conflict", "payout"])
    if effect.is_conflict and payout is not None:
        record(
            "wallet.conflict", subject=payout, actor=DARAJA, data={"what": row.effect}
        )
    log.info("wallet.callback", kind=row.kind, effect=row.effect, callback=row.pk)
    return row


def _timeout(found: dict[str, object]) -> tuple[Effect, Payout | None]:
    """The echoed request, sometimes wrapped as a result is."""
    result = read_result(found)
    originator = (
        result.originator if result else text_of(found.get("OriginatorConversationID"))
    )
    payout = _payout_of(originator)
    if payout is not None:
        before = payout.state
        if before in (PayoutState.SENDING, PayoutState.ACCEPTED):
            mark_unknown(payout, why="The wallet gave a time-out notice.", actor=DARAJA)
            return Effect("unknown"), payout
        return Effect(f"nothing: payment is {before}"), payout
    occasion = result.reference.get("Occasion", "") if result else ""
    query = _query_of(occasion or text_of(found.get("Occasion")), "")
    if query is None:
        return Effect("no such payment"), None
    if query.state in (QueryState.SENDING, QueryState.ASKED):
        query.state, query.answer = QueryState.FAILED, "time-out"
        query.leased_until = None
        query.save()
    return Effect("question timed out"), query.payout


def _result(found: dict[str, object]) -> tuple[Effect, Payout | None]:
    result = read_result(found)
    if result is None:
        return Effect("not a result"), None
    payout = None if result.is_status else _payout_of(result.originator)
    if payout is not None:
        return _payment_result(payout, result), payout
    query = _query_of(result.reference.get("Occasion", ""), result.conversation)
    if query is not None:
        payout = lock_payout(query.payout_id)
        return _status_answer(payout, query, result), payout
    return Effect("no such payment"), None


def _payout_of(originator: str) -> Payout | None:
    """The payout with this id, locked."""
    wanted = uuid_of(originator)
    row = Payout.objects.filter(originator_id=wanted).first() if wanted else None
    return lock_payout(row.pk) if row else None


def _query_of(occasion: str, conversation: str) -> StatusQuery | None:
    """The question by our id that came back, else by the wallet's id for it."""
    rows = StatusQuery.objects.select_related("payout")
    wanted = uuid_of(occasion)
    if wanted and (row := rows.filter(originator_id=wanted).first()):
        return row
    return rows.filter(conversation_id=conversation).first() if conversation else None


def _payment_result(payout: Payout, result: WalletResult) -> Effect:
    if payout.state in NEVER_SENT:
        return Effect("result for a payment that was never sent", is_conflict=True)
    if result.code == "0":
        return _success(payout, result)
    if payout.state == PayoutState.PAID:
        return Effect(f"failure {result.code} after the receipt", is_conflict=True)
    if payout.state in (PayoutState.FAILED, PayoutState.QUEUED):
        return Effect(f"nothing: payment is {payout.state}")
    if result.code in FAILS:
        words = words_for(result.code)
        mark_failed(payout, code=result.code, words=words, actor=DARAJA)
        _stop_if_needed(payout.tenant, result.code)
        return Effect(f"failed: {result.code}")
    why = words_for(result.code, result.words)
    mark_unknown(payout, why=f"Result {result.code}: {why}", actor=DARAJA)
    return Effect(f"unknown: code {result.code}")


def _success(payout: Payout, result: WalletResult) -> Effect:
    """Code 0, or *Completed*: proof only with a receipt of its own and our amount."""
    receipt = result.receipt
    if payout.state == PayoutState.PAID:
        if receipt in ("", payout.receipt):
            return Effect("nothing: paid already")
        return Effect("another receipt for a paid payment", is_conflict=True)
    if not receipt:
        if payout.state == PayoutState.FAILED:
            return Effect("success without a receipt", is_conflict=True)
        mark_unknown(payout, why="Success without a receipt.", actor=DARAJA)
        return Effect("unknown: no receipt")
    if Payout.objects.filter(receipt=receipt).exists():
        return _doubtful(payout, TAKEN_RECEIPT)
    if result.differs_from(payout.amount_minor):
        readable = result.amount is not None
        return _doubtful(
            payout,
            "another amount than was sent"
            if readable
            else "an amount that cannot be read",
        )
    was_failed = payout.state == PayoutState.FAILED
    if not _paid(payout, receipt):
        return _doubtful(payout, TAKEN_RECEIPT)
    if was_failed:
        return Effect("paid, after a failure was reported", is_conflict=True)
    return Effect("paid")


def _paid(payout: Payout, receipt: str) -> bool:
    """Mark it paid; False if another payment got this receipt at the same moment."""
    try:
        with transaction.atomic():
            mark_paid(payout, receipt=receipt, actor=DARAJA)
    except IntegrityError:
        # By now the other one is committed, or this was about something else.
        if not Payout.objects.filter(receipt=receipt).exists():
            raise
        payout.refresh_from_db()
        return False
    return True


def _doubtful(payout: Payout, what: str) -> Effect:
    """A success that does not fit: a person must look before anything is believed."""
    if payout.state not in (PayoutState.FAILED, PayoutState.QUEUED):
        mark_review(payout, why=f"The wallet reported {what}.", actor=DARAJA)
    return Effect(what, is_conflict=True)


def _status_answer(payout: Payout, query: StatusQuery, result: WalletResult) -> Effect:
    status = result.values.get("TransactionStatus", "")
    query.state, query.leased_until = QueryState.ANSWERED, None
    query.answered_at = timezone.now()
    told = NO_SUCH_WORDS if result.code == NO_SUCH else result.words
    query.answer = (status or told or f"code {result.code}")[:40]
    query.save()
    if result.code != "0":
        if result.code in LOCKS_US_OUT:
            _stop_if_needed(payout.tenant, result.code)
        if result.code == NO_SUCH and _is_long_unheard_of(payout):
            mark_review(payout, why=NO_SUCH_WORDS.capitalize(), actor=DARAJA)
        return Effect(f"undecided: code {result.code}")
    if status == DONE:
        declared = payout.result_code == NOT_IN_STATEMENT
        if payout.state == PayoutState.FAILED and not declared:
            # An answer has been seen to contradict a result: it never overturns one.
            return Effect("completed, after a failure was reported", is_conflict=True)
        return _success(payout, result)
    if status not in NOT_DONE:
        return Effect(f"undecided: {status or 'no status'}")
    if payout.state == PayoutState.PAID:
        return Effect(f"{status} after the receipt", is_conflict=True)
    if payout.state in (PayoutState.UNKNOWN, PayoutState.REVIEW):
        words = f"the wallet says: {status.lower()}"
        mark_failed(payout, code=status, words=words, actor=DARAJA)
        return Effect(f"failed: {status}")
    return Effect(f"nothing: payment is {payout.state}")


def _is_long_unheard_of(payout: Payout) -> bool:
    """Whether the wallet has said so often and late enough for a person to look."""
    if payout.state != PayoutState.UNKNOWN or payout.unknown_at is None:
        return False
    answers = StatusQuery.objects.filter(payout=payout, answer=NO_SUCH_WORDS)
    is_late = timezone.now() >= payout.unknown_at + NO_SUCH_AFTER
    return is_late and answers.count() >= NO_SUCH_ANSWERS


def _stop_if_needed(tenant: Tenant, code: str) -> None:
    if code in STOPS and credential_of(tenant.pk) is not None:
        reason = words_for(code).capitalize()
        stop_channel(tenant=tenant, code=code, reason=reason, actor=DARAJA)


def process_forgotten(limit: int = 200) -> int:
    """Understand callbacks that were stored and then forgotten. Returns how many."""
    since = timezone.now() - hasten(timedelta(minutes=1))
    rows = WalletCallback.objects.filter(effect="", at__lt=since).order_by("id")
    ids = list(rows.values_list("pk", flat=True)[:limit])
    done = 0
    for pk in ids:
        try:
            process(pk)
            done += 1
        except Exception:
            # One that cannot be understood must not hide the others.
            log.exception("wallet.callback_failed", callback=pk)
    return done


@transaction.atomic
def clear_conflict(*, callback: WalletCallback, actor: Actor, note: str) -> None:
    """A person has looked at a contradiction; a note says what was found.

    Raises ``Invalid`` without a note. Clearing again is a no-op.
    """
    row = WalletCallback.objects.select_for_update(of=("self",)).get(pk=callback.pk)
    if not row.is_conflict:
        return
    note = note.replace("\x00", "").strip()[:500]
    if not note:
        raise Invalid("Write down what you found.", field="note")
    row.is_conflict = False
    row.save(update_fields=["is_conflict"])
    record(
        "wallet.conflict_cleared",
        subject=row.payout or row,
        actor=actor,
        reason=note,
        data={"what": row.effect},
    )
