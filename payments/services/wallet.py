"""The tenant's account with the wallet operator, and the switch of its channel."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from payments.enums import PayoutState
from payments.models import Payout, WalletCredential
from vrp.errors import IllegalMove, Invalid, NotFound
from vrp.events.outbox import enqueue
from vrp.events.services import Actor, record
from vrp.secrets import seal_text
from vrp.tenancy.models import Tenant


@transaction.atomic
def set_credential(
    *,
    tenant: Tenant,
    shortcode: str,
    consumer_key: str,
    consumer_secret: str,
    initiator_name: str,
    initiator_password: str,
    actor: Actor,
) -> WalletCredential:
    """Keep the account's data, its secrets encrypted; the callback secret stays."""
    values = {
        "shortcode": shortcode,
        "consumer_key": seal_text(consumer_key),
        "consumer_secret": seal_text(consumer_secret),
        "initiator_name": initiator_name,
        "initiator_password": seal_text(initiator_password),
    }
    route_secret = f"{tenant.pk}-{secrets.token_hex(20)}"
    credential, _ = WalletCredential.objects.update_or_create(
        tenant=tenant,
        defaults=values,
        create_defaults={**values, "route_secret": route_secret},
    )
    record(
        "wallet.account_set",
        subject=credential,
        actor=actor,
        data={"shortcode": shortcode},
    )
    return credential


@transaction.atomic
def rotate_route(*, tenant: Tenant, actor: Actor, keep: timedelta) -> WalletCredential:
    """A new callback address for what is sent from now on; results of what was sent before
    are taken at the old one for ``keep`` longer, 0 to 90 days.

    Raises ``NotFound`` without an account, and ``IllegalMove`` while the address before
    still holds, unless ``keep`` is 0, which ends all old ones at once.
    """
    if not timedelta(0) <= keep <= timedelta(days=90):
        raise Invalid("The old address holds 0 to 90 days longer.", field="keep")
    credential = (
        WalletCredential.objects.select_for_update().filter(tenant=tenant).first()
    )
    if credential is None:
        raise NotFound("This brand has no account with the wallet operator.")
    now = timezone.now()
    if keep and credential.old_route_until and credential.old_route_until > now:
        raise IllegalMove("The address before this one still holds; end it first.")
    credential.old_route_secret = credential.route_secret if keep else ""
    credential.old_route_until = now + keep if keep else None
    credential.route_secret = f"{tenant.pk}-{secrets.token_hex(20)}"
    credential.save(
        update_fields=["route_secret", "old_route_secret", "old_route_until"]
    )
    record(
        "wallet.route_rotated",
        subject=credential,
        actor=actor,
        data={"until": (now + keep).isoformat() if keep else ""},
    )
    return credential


@transaction.atomic
def stop_channel(*, tenant: Tenant, code: str, reason: str, actor: Actor) -> None:
    """Stop sending for the whole tenant until a person starts it again."""
    credential = WalletCredential.objects.select_for_update().get(tenant=tenant)
    if credential.is_stopped:
        return
    credential.is_stopped = True
    credential.stopped_code, credential.stopped_reason = code[:20], reason[:160]
    credential.stopped_at = timezone.now()
    credential.save()
    record(
        "wallet.stopped",
        subject=credential,
        actor=actor,
        reason=credential.stopped_reason,
        data={"code": credential.stopped_code},
    )


@transaction.atomic
def start_channel(*, tenant: Tenant, actor: Actor) -> None:
    """Start sending again; what waits leaves now. A no-op while it runs."""
    credential = (
        WalletCredential.objects.select_for_update().filter(tenant=tenant).first()
    )
    if credential is None:
        raise NotFound("This brand has no account with the wallet operator.")
    if not credential.is_stopped:
        return
    credential.is_stopped, credential.stopped_at = False, None
    credential.stopped_code = credential.stopped_reason = ""
    credential.save()
    waiting = Payout.objects.filter(state=PayoutState.QUEUED)
    waiting.update(due_at=timezone.now())
    for payout in waiting:
        enqueue("payout", payout)
    record("wallet.started", subject=credential, actor=actor)
