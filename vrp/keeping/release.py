"""Sending again after a restore: what must be settled before, in one place."""

from collections.abc import Collection

from payments.enums import PayoutState
from payments.models import Payout
from vrp.events.models import SendingPause
from vrp.events.pausing import resume
from vrp.events.services import Actor
from vrp.keeping.errors import KeepingError
from vrp.tenancy.models import Tenant

# Accepted or unknown when the backup was taken, or taken for unknown since.
OPEN = (
    PayoutState.SENDING,
    PayoutState.ACCEPTED,
    PayoutState.UNKNOWN,
    PayoutState.REVIEW,
)


def paused(tenant: Tenant) -> list[SendingPause]:
    """What the tenant holds back (its scope must be active)."""
    return list(SendingPause.active().filter(tenant=tenant).order_by("outbox"))


def release(*, tenant: Tenant, names: Collection[str], note: str, by: str) -> list[str]:
    """Resume these outboxes; payouts only once every old payment is decided.

    Raises ``KeepingError`` while a payment may or may not have been made.
    """
    if "payout" in names:
        unclear = Payout.objects.filter(state__in=OPEN).count()
        if unclear:
            raise KeepingError(
                f"{tenant.slug}: of {unclear} payments nobody knows yet whether they "
                "were made. The wallet is being asked; what it does not know somebody "
                "decides on the payment's page, by the wallet's statement. Then resume."
            )
    return resume(tenant=tenant, names=names, note=note, actor=Actor("user", by))
