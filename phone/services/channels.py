"""The tenant's account with the carrier."""

import secrets

from django.db import transaction

from phone.models import Channel
from vrp.events.services import Actor, record
from vrp.secrets import seal_text
from vrp.tenancy.models import Tenant


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
