"""What a person decides about a payout, where the wallet has decided nothing."""

from django.db import transaction

from payments.codes import NOT_IN_STATEMENT
from payments.enums import PayoutState
from payments.models import Entry, Payout, WalletCallback
from payments.services.apart import check_apart
from payments.services.settling import lock_payout, mark_failed
from vrp.accounts.enums import Permission
from vrp.accounts.models import User
from vrp.accounts.permissions import grant_for
from vrp.errors import IllegalMove, Invalid, NotAllowed
from vrp.events.services import Actor, record


@transaction.atomic
def declare_not_paid(*, payout: Payout, user: User, note: str, actor: Actor) -> Payout:
    """A payment in review was never made: what it covers is owed and free again.

    ``note`` names the evidence, such as the wallet's statement. Should a receipt of the
    wallet come later all the same, it wins, as after any failure. Declaring again is a
    no-op.

    Raises ``NotAllowed`` for somebody who may not approve payouts, for the run's maker
    and for who is not apart from the maker (``check_apart``), ``Invalid`` without a
    note, ``IllegalMove`` for a payout that is not in review or has no approval in the
    ledger, and while a contradiction about it waits for somebody to look.
    """
    payout = lock_payout(payout.pk)
    if not grant_for(user, payout.tenant).may(Permission.APPROVE_PAYOUTS):
        raise NotAllowed("Only somebody who may approve payouts can declare this.")
    if payout.run.made_by_id == user.pk:
        raise NotAllowed("You made this run: another person has to declare this.")
    if (payout.state, payout.result_code) == (
        PayoutState.FAILED,
        NOT_IN_STATEMENT,
    ):
        return payout
    check_apart(payout.tenant, payout.run.made_by, user)
    if payout.state != PayoutState.REVIEW:
        raise IllegalMove(
            f"This payment is {payout.get_state_display()}: only one that a person must "
            "look at can be declared not paid."
        )
    note = note.replace("\x00", "").strip()[:500]
    if not note:
        raise Invalid("Write down what shows that it was not paid.", field="note")
    if WalletCallback.objects.filter(payout=payout, is_conflict=True).exists():
        # The wallet has reported a success that does not fit: money may have moved.
        raise IllegalMove(
            "The wallet has contradicted itself about this payment. Somebody has to note "
            "first what became of that, under Contradictions."
        )
    if not Entry.objects.filter(cause=f"payout:{payout.pk}:approved").exists():
        raise IllegalMove("The ledger has no approval of this payment to take back.")
    record(
        "payout.declared_not_paid",
        subject=payout,
        actor=actor,
        reason=note,
        data={"amount_minor": payout.amount_minor, "run": payout.run.number},
    )
    words = f"declared not paid by {user}"
    mark_failed(payout, code=NOT_IN_STATEMENT, words=words, actor=actor)
    return payout
