"""Buyers' API keys: made, shown once, checked in constant time.

A key reads ``vrp_<tenant>_<lookup>_<secret>``. The tenant's id is part of it because the
row can only be found inside that tenant's scope.
"""

import hashlib
import hmac
import re
import secrets
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from orders.models import ApiKey
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

# How exactly the last use of a key is known: a write a minute is enough.
USE_STEP = timedelta(minutes=1)
SHAPE = re.compile(r"vrp_([1-9][0-9]{0,17})_([0-9a-f]{8})_([0-9a-f]{40})")


def digest(secret: str) -> str:
    """HMAC-SHA256 of the secret part, with the installation's key."""
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, secret.encode(), hashlib.sha256).hexdigest()


def new_key(tenant: Tenant) -> tuple[str, str, str]:
    """(the whole key to show once, lookup, digest)."""
    lookup, secret = secrets.token_hex(4), secrets.token_hex(20)
    return f"vrp_{tenant.pk}_{lookup}_{secret}", lookup, digest(secret)


def find(key: str) -> ApiKey | None:
    """The valid row of a key with its buyer and tenant; None for anything else."""
    match = SHAPE.fullmatch(key)
    if not match:
        return None
    tenant = Tenant.objects.filter(pk=match[1], is_active=True).first()
    if tenant is None:
        return None
    with tenant_scope(tenant):
        row = (
            ApiKey.objects.select_related("buyer", "tenant")
            .filter(lookup=match[2], revoked_at__isnull=True)
            .first()
        )
    if row is None or not hmac.compare_digest(row.digest, digest(match[3])):
        return None
    if row.expires_at and row.expires_at <= timezone.now():
        return None
    return row


def note_use(key: ApiKey) -> None:
    """Remember when a key was last used, to the minute. Its tenant's scope is active."""
    now = timezone.now()
    if key.last_used_at is None or key.last_used_at < now - USE_STEP:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
