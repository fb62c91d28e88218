"""Making, replacing and revoking buyers' API keys. A whole key is returned once, here,
and nowhere kept: the row has its prefix and an HMAC of the rest."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from orders.enums import Scope
from orders.keys import live_keys, new_key
from orders.models import ApiKey, Buyer
from vrp.errors import Conflict, IllegalMove, Invalid
from vrp.events.services import Actor, record

MAX_KEYS = 20
MAX_DAYS = 3 * 366
# How long a replaced key holds beside its successor, unless somebody says otherwise.
OVERLAP = timedelta(days=7)
MAX_OVERLAP = timedelta(days=90)


@transaction.atomic
def issue_key(
    *,
    buyer: Buyer,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None,
    actor: Actor,
) -> tuple[ApiKey, str]:
    """A new key and its whole text, which is known only now. ``expires_at`` None: never.

    Raises ``Invalid`` for a wrong name, scope or day, ``Conflict`` if the buyer has a
    live key of that name (so a form that is sent twice makes one key), and ``Invalid``
    (code ``limit_reached``) if it has 20.
    """
    Buyer.objects.select_for_update(of=("self",)).get(pk=buyer.pk)
    name = " ".join(name.replace("\x00", "").split())
    if not 1 <= len(name) <= 80:
        raise Invalid("Give the key a name of up to 80 characters.", field="name")
    live = list(live_keys().filter(buyer=buyer))
    if any(key.name.casefold() == name.casefold() for key in live):
        raise Conflict(f"{buyer.name} has a key named {name}.", field="name")
    return _make(
        buyer=buyer,
        name=name,
        scopes=_known(scopes),
        expires_at=_ahead(expires_at),
        actor=actor,
        live=len(live),
    )


@transaction.atomic
def rotate_key(
    *,
    key: ApiKey,
    actor: Actor,
    overlap: timedelta = OVERLAP,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A successor with the same name and scopes, and its whole text, known only now.

    The old key holds for ``overlap`` longer (never longer than it would have). Raises
    ``IllegalMove`` for a key that is not valid any more or has been replaced already.
    """
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise Invalid("The old key may hold up to 90 days longer.", field="overlap")
    Buyer.objects.select_for_update(of=("self",)).get(pk=key.buyer_id)
    key = ApiKey.objects.select_for_update(of=("self",)).get(pk=key.pk)
    now = timezone.now()
    if key.revoked_at or (key.expires_at and key.expires_at <= now):
        raise IllegalMove("This key is not valid any more; make a new one.")
    if is_replaced(key):
        raise IllegalMove("This key has been replaced already.")
    made, text = _make(
        buyer=key.buyer,
        name=key.name,
        scopes=key.scopes,
        expires_at=_ahead(expires_at),
        actor=actor,
        first_id=key.line_id,
        live=live_keys().filter(buyer=key.buyer_id).count() - 1,
    )
    key.expires_at = min(key.expires_at or now + overlap, now + overlap)
    key.save(update_fields=["expires_at"])
    record(
        "api_key.rotated",
        subject=key,
        actor=actor,
        data={
            "prefix": key.prefix,
            "successor": made.prefix,
            "until": key.expires_at.isoformat(),
        },
    )
    return made, text


@transaction.atomic
def revoke_key(*, key: ApiKey, actor: Actor, reason: str = "") -> ApiKey:
    """End a key at once. Revoking it again changes nothing."""
    key = ApiKey.objects.select_for_update(of=("self",)).get(pk=key.pk)
    if key.revoked_at:
        return key
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    record(
        "api_key.revoked",
        subject=key,
        actor=actor,
        reason=reason[:200],
        data={"prefix": key.prefix, "buyer": key.buyer.code},
    )
    return key


def is_replaced(key: ApiKey) -> bool:
    """Whether a later key of its line has taken its place."""
    return ApiKey.objects.filter(first_id=key.line_id, pk__gt=key.pk).exists()


def _make(
    *,
    buyer: Buyer,
    name: str,
    scopes: list[str],
    expires_at: datetime | None,
    actor: Actor,
    live: int,
    first_id: int | None = None,
) -> tuple[ApiKey, str]:
    if live >= MAX_KEYS:
        raise Invalid(
            f"{buyer.name} has {MAX_KEYS} keys already; revoke one first.",
            code="limit_reached",
        )
    text, lookup, digest = new_key(buyer.tenant)
    key = ApiKey.objects.create(
        tenant=buyer.tenant,
        buyer=buyer,
        name=name,
        lookup=lookup,
        digest=digest,
        scopes=scopes,
        expires_at=expires_at,
        first_id=first_id,
    )
    record(
        "api_key.issued",
        subject=key,
        actor=actor,
        data={"prefix": key.prefix, "buyer": buyer.code, "scopes": scopes},
    )
    return key, text


def _known(scopes: Iterable[str]) -> list[str]:
    wanted = set(scopes)
    if not wanted or not wanted <= set(Scope.values):
        raise Invalid("Choose what the key may do.", field="scopes")
    return [scope for scope in Scope.values if scope in wanted]


def _ahead(expires_at: datetime | None) -> datetime | None:
    now = timezone.now()
    if expires_at and not now < expires_at <= now + timedelta(days=MAX_DAYS):
        raise Invalid("Choose a day ahead, within three years.", field="expires_at")
    return expires_at
