"""Holding back what leaves the house after a restore, until a person releases it.

A backup is older than the world: what it says is to be sent may have been sent since.
So a restore pauses each outbox that leaves the house, and gives the rows that were due
or under way to the outbox's own rule (``on_restored``): a payout becomes *unknown* and
the wallet is asked; an SMS becomes *unknown*; a webhook goes out again once released,
under the id by which its receiver drops repeats.
"""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from vrp.errors import Invalid
from vrp.events.models import SendingPause
from vrp.events.outbox import Outbox, hand_over, outboxes
from vrp.events.services import Actor, record
from vrp.tenancy.models import Tenant


def sending() -> list[Outbox]:
    """The outboxes that leave the house, by name."""
    return [outbox for outbox in outboxes() if outbox.leaves]


@transaction.atomic
def pause_after_restore(*, tenant: Tenant, reason: str, actor: Actor) -> dict[str, int]:
    """Pause whatever leaves, and doubt what was due; returns rows doubted by outbox.

    Pausing what is paused already changes nothing. The tenant's scope must be active.
    """
    doubted: dict[str, int] = {}
    for outbox in sending():
        SendingPause.objects.get_or_create(
            tenant=tenant,
            outbox=outbox.name,
            released_at=None,
            defaults={"reason": reason},
        )
        if outbox.on_restored is None:
            continue
        rows = outbox.model.objects.select_for_update(of=("self",)).filter(
            state__in=(*outbox.ready, outbox.claimed)
        )
        doubted[outbox.name] = 0
        for row in rows.order_by("pk"):
            outbox.on_restored(row)
            doubted[outbox.name] += 1
    record(
        "sending.paused",
        subject=tenant,
        tenant=tenant,
        actor=actor,
        reason=reason,
        data={"doubted": doubted},
    )
    return doubted


@transaction.atomic
def resume(
    *, tenant: Tenant, names: Collection[str], note: str, actor: Actor
) -> list[str]:
    """Release these outboxes of the tenant; what waits leaves. Returns those released.

    ``note`` says what was compared before. Releasing what is not paused is a no-op.
    Raises ``Invalid`` for a name that is no outbox of ours, or without a note.
    """
    known = {outbox.name: outbox for outbox in sending()}
    strange = sorted(set(names) - set(known))
    if strange:
        raise Invalid(
            f"{strange[0]!r} is not something that can be paused: {', '.join(known)}.",
            field="outbox",
        )
    note = note.replace("\x00", "").strip()[:500]
    if not note:
        raise Invalid("Say what you compared before you resume sending.", field="note")
    pauses = SendingPause.active().select_for_update().filter(outbox__in=names)
    released = sorted(pause.outbox for pause in pauses)
    if not released:
        return []
    pauses.update(released_at=timezone.now(), released_by=actor.label, note=note)
    record(
        "sending.resumed",
        subject=tenant,
        tenant=tenant,
        actor=actor,
        reason=note,
        data={"outboxes": released},
    )
    transaction.on_commit(lambda: _hand_over(tenant.pk, released))
    return released


def _hand_over(tenant_id: int, names: list[str]) -> None:
    """Tell the workers; what this misses the sweep finds within a minute."""
    now = timezone.now()
    for outbox in sending():
        if outbox.name in names:
            due = outbox.model.objects.filter(state__in=outbox.ready, due_at__lte=now)
            for row_id in due.order_by("due_at").values_list("pk", flat=True)[:500]:
                hand_over(outbox.name, tenant_id, row_id)
