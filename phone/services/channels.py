"""The tenant's account with the carrier."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from phone.models import Channel
from vrp.errors import IllegalMove, Invalid, NotFound
from vrp.events.services import Actor, record
from vrp.secrets import seal_text
from vrp.tenancy.models import Tenant


@transaction.atomic
def rotate_route(*, tenant: Tenant, actor: Actor, keep: timedelta) -> Channel:
    """New callback addresses; the old ones hold for ``keep`` longer, 0 to 90 days.

    Raises ``NotFound`` without an account, and ``IllegalMove`` while the addresses before
    still hold: three at a time would be forgotten somewhere. ``keep`` 0 ends all old ones
    at once, whatever holds.
    """
    if not timedelta(0) <= keep <= timedelta(days=90):
        raise Invalid("The old addresses hold 0 to 90 days longer.", field="keep")
    channel = Channel.objects.select_for_update().filter(tenant=tenant).first()
    if channel is None:
        raise NotFound("This brand has no account with the carrier.")
    now = timezone.now()
    if keep and channel.old_route_until and channel.old_route_until > now:
        raise IllegalMove("The addresses before these still hold; end them first.")
    channel.old_route_secret = channel.route_secret if keep else ""
    channel.old_route_until = now + keep if keep else None
    channel.route_secret = f"{tenant.pk}-{secrets.token_hex(20)}"
    channel.save(update_fields=["route_secret", "old_route_secret", "old_route_until"])
    data = {"until": (now + keep).isoformat() if keep else ""}
    record("channel.route_rotated", subject=channel, actor=actor, data=data)
    return channel


@transaction.atomic
def set_channel(
    *,
    tenant: Tenant,
    username: str,
    api_key: str,
    sender: str,
    ussd_code: str,
    actor: Actor,
) -> Channel:
    """Keep the account's data, the key encrypted; the callback secret stays as it is.

    New data mean that somebody put right what the carrier refused: sending goes on.
    """
    values = {
        "username": username,
        "api_key": seal_text(api_key),
        "sender": sender,
        "ussd_code": ussd_code,
        "stopped_until": None,
        "stopped_reason": "",
    }
    route_secret = f"{tenant.pk}-{secrets.token_hex(20)}"
    channel, _ = Channel.objects.update_or_create(
        tenant=tenant,
        defaults=values,
        create_defaults={**values, "route_secret": route_secret},
    )
    data = {"username": username, "sender": sender, "ussd_code": ussd_code}
    record("channel.account_set", subject=channel, actor=actor, data=data)
    return channel
