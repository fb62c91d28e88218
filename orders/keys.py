"""Buyers' API keys: how they look, and finding the row of one in constant time.

A key reads ``vrp_<tenant>_<lookup>_<secret>``. The tenant's id is part of it because the
row can only be found inside that tenant's scope. Making, replacing and revoking them is
in ``orders.services.keys``.
"""

import hashlib
import hmac
import re
import secrets
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from orders.models import ApiKey
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

# How exactly the last use of a key is known: a write a minute is enough.
USE_STEP = timedelta(minutes=1)
SHAPE = re.compile(r"vrp_([1-9][0-9]{0,17})_([0-9a-f]{8})_([0-9a-f]{40})")


def digest(secret: str, pepper: str = "") -> str:
    """HMAC-SHA256 of the secret part (160 random bits, so no slow hash is needed) with
    the installation's key, or an older one of its keys."""
    key = (pepper or settings.SECRET_KEY).encode()
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
            ApiKey.objects.select_related("buyer")
            .filter(lookup=match[2], revoked_at__isnull=True)
            .first()
        )
    if row is None or not _matches(row, match[3]):
        return None
    # Read a moment ago: not again, neither for the key nor for its buyer.
    row.tenant = row.buyer.tenant = tenant
    if row.expires_at and row.expires_at <= timezone.now():
        return None
    return row


def _matches(row: ApiKey, secret: str) -> bool:
    """Whether this is its secret, under today's key of the installation or an older one.

    A row of an older one gets today's digest, which the next ``note_use`` writes.
    """
    if hmac.compare_digest(row.digest, digest(secret)):
        return True
    for pepper in settings.SECRET_KEY_FALLBACKS:
        if hmac.compare_digest(row.digest, digest(secret, pepper)):
            row.digest, row.last_used_at = digest(secret), None
            return True
    return False


def live_keys() -> QuerySet[ApiKey]:
    """The tenant's keys that open something at this moment."""
    ahead = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return ApiKey.objects.filter(ahead, revoked_at__isnull=True)


def note_use(key: ApiKey) -> None:
    """Remember when a key was last used, to the minute. Its tenant's scope is active."""
    now = timezone.now()
    if key.last_used_at is None or key.last_used_at < now - USE_STEP:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now, digest=key.digest)
