"""A payment that the wallet's statement shows and a restored database does not know.

Made after the backup was taken, it is owed again by what came back, and the next run
would pay it a second time. Noting it is possible only while payouts are paused after a
restore, by two people, and for a workshop whose other payments are all decided.
"""

from django.db import transaction
from django.utils import timezone

from artisans.models import Workshop
from payments.enums import (
    PAYOUT_UNDER_WAY,
    AccountKind,
    PayoutState,
    RunState,
)
from payments.models import Payable, Payout, PayoutLine, PayoutRun
from payments.queries.preview import today_of
from payments.services.apart import check_apart
from payments.services.ledger import account, post_entry
from payments.services.settling import lock_payout, mark_paid
from vrp.accounts.enums import Permission
from vrp.accounts.models import User
from vrp.accounts.permissions import grant_for
from vrp.errors import Conflict, IllegalMove, Invalid, NotAllowed
from vrp.events.models import SendingPause
from vrp.events.services import Actor, record
from vrp.tenancy.models import Tenant
from vrp.tenancy.numbers import next_number

# Nothing of a workshop may be undecided: the receipt could be that payment's own.
UNDECIDED = (PayoutState.DRAFT, *PAYOUT_UNDER_WAY)


@transaction.atomic
def note_found(
    *,
    tenant: Tenant,
    workshop: Workshop,
    amount_minor: int,
    receipt: str,
    found_by: User,
    checked_by: User,
    actor: Actor,
) -> Payout:
    """Enter one line of the statement as a paid payment of a run of its own.

    It covers what is owed to the workshop, oldest first; more than is owed is overpaid,
    which later runs keep back. Noting the same receipt and amount again is a no-op.

    Raises ``IllegalMove`` unless payouts are paused, and while the workshop has payments
    that are undecided; ``NotAllowed`` for people without the right, one in both
    parts, or two who are not apart (``check_apart``); ``Conflict`` for a receipt
    that another payment has; ``Invalid``.
    """
    _check_people(tenant, found_by, checked_by)
    if not SendingPause.active().filter(outbox="payout").exists():
        raise IllegalMove("Payouts are not paused: this is for after a restore only.")
    workshop = Workshop.objects.select_for_update(of=("self",)).get(pk=workshop.pk)
    receipt = receipt.strip().upper()
    if not (receipt.isascii() and receipt.isalnum() and 6 <= len(receipt) <= 40):
        raise Invalid("This is not a receipt of the wallet.", field="receipt")
    if amount_minor <= 0:
        raise Invalid("The amount is above zero.", field="amount")
    known = Payout.objects.filter(receipt=receipt).first()
    if known is not None:
        if (known.workshop_id, known.amount_minor) == (workshop.pk, amount_minor):
            return known
        raise Conflict(f"Payment {known.pk} has this receipt.", field="receipt")
    if Payout.objects.filter(workshop=workshop, state__in=UNDECIDED).exists():
        raise IllegalMove(
            f"{workshop.code} has payments that are not decided, or in a draft run. Wait "
            "for the wallet's answers and cancel the draft: the receipt may be theirs."
        )
    payout = _as_approved(tenant, workshop, amount_minor, found_by, checked_by)
    record(
        "payout.found",
        subject=payout,
        actor=actor,
        data={"amount_minor": amount_minor, "receipt": receipt},
    )
    mark_paid(lock_payout(payout.pk), receipt=receipt, actor=actor)
    payout.refresh_from_db()
    return payout


def _check_people(tenant: Tenant, found_by: User, checked_by: User) -> None:
    if found_by.pk == checked_by.pk:
        raise NotAllowed("Another person has to check it.")
    for user, right in (
        (found_by, Permission.MAKE_PAYOUTS),
        (checked_by, Permission.APPROVE_PAYOUTS),
    ):
        if not user.is_active or not grant_for(user, tenant).may(right):
            raise NotAllowed(f"{user} may not {right.label}.")
    check_apart(tenant, found_by, checked_by)


def _as_approved(
    tenant: Tenant, workshop: Workshop, minor: int, found_by: User, checked_by: User
) -> Payout:
    """Run, payment, lines and the entry of an approval; never handed to a worker."""
    currency, now = tenant.currency, timezone.now()
    run = PayoutRun.objects.create(
        tenant=tenant,
        number=next_number(tenant, "payout_run"),
        state=RunState.APPROVED,
        currency=currency,
        up_to=today_of(tenant),
        gross_minor=minor,
        total_minor=minor,
        made_by=found_by,
        approved_by=checked_by,
        approved_at=now,
    )
    payout = Payout.objects.create(
        tenant=tenant,
        run=run,
        workshop=workshop,
        phone=workshop.phone,
        amount_minor=minor,
        currency=currency,
        # Unknown, never queued: no worker may take it, whatever happens in between.
        state=PayoutState.UNKNOWN,
        unknown_at=now,
    )
    _cover(payout, minor)
    post_entry(
        tenant=tenant,
        cause=f"payout:{payout.pk}:approved",
        memo=f"{run}: payment to {workshop.code} found on the wallet's statement",
        legs=[
            (account(tenant, AccountKind.WORKSHOP, currency, workshop), minor),
            (account(tenant, AccountKind.IN_TRANSIT, currency), -minor),
        ],
        currency=currency,
    )
    return payout


def _cover(payout: Payout, minor: int) -> None:
    rows = Payable.objects.select_for_update(of=("self",)).filter(
        workshop=payout.workshop, open_minor__gt=0, currency=payout.currency
    )
    for payable in rows.order_by("id"):
        part = min(payable.open_minor, minor)
        if not part:
            break
        PayoutLine.objects.create(
            tenant=payout.tenant, payout=payout, payable=payable, amount_minor=part
        )
        payable.open_minor -= part
        payable.save(update_fields=["open_minor"])
        minor -= part
