"""Guessing takes ever longer: passwords, codes, and the prompt of somebody signed in.

Failures are counted in PostgreSQL and not in Redis, which may be wiped at any moment:
whoever could make Redis restart could guess on. Each guess is *taken* under a row lock
before it is checked, so that many at once are no more than the limit, and given back
when it was right. Every wait ends by itself; nobody is locked out until an admin comes.

Three keys are counted: the account with the address (or the known device), the account
from anywhere, and the address alone. A device on which the person has signed in before
is counted on its own: others' guesses do not make it wait.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from vrp.accounts.models import Tries
from vrp.accounts.visitor import Visitor

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Limit:
    """``free`` failures without a wait; then ``first`` seconds, doubled up to ``longest``.

    Forgotten after ``forget`` seconds without a failure.
    """

    free: int
    first: int
    longest: int = 900
    forget: int = 86_400

    def wait_after(self, failed: int) -> timedelta:
        """How long to wait after this many failures; nothing below ``free``."""
        if failed < self.free:
            return timedelta(0)
        doubled = self.first * 2 ** min(failed - self.free, 16)
        return timedelta(seconds=min(doubled, self.longest))


# One person at one place: typing errors are free. 15 minutes at most, so about a
# hundred guesses a day remain.
PLACE = Limit(free=5, first=30)
# One account from everywhere: more, since this can make its owner wait on a new device.
ACCOUNT = Limit(free=20, first=60)
# One address: an office has one for all its people.
ADDRESS = Limit(free=50, first=60, forget=3600)


@dataclass(frozen=True)
class Counted:
    """One key that a guess counts for. ``shared``: a right guess gives back itself only,
    else whoever owns one account could guess at others for ever."""

    key: str
    limit: Limit
    shared: bool = False


class MustWait(Exception):
    """Too many failures. The same for accounts that exist and those that do not."""

    def __init__(self, until: datetime) -> None:
        super().__init__("Too many failed tries.")
        self.until = until

    @property
    def seconds(self) -> int:
        """Seconds left, at least 1."""
        return max(1, round((self.until - timezone.now()).total_seconds()))

    @property
    def words(self) -> str:
        """When to try again, for a person."""
        minutes = -(-self.seconds // 60)
        span = (
            f"{self.seconds} seconds"
            if self.seconds < 60
            else f"{minutes} minute{'s' if minutes > 1 else ''}"
        )
        clock = timezone.localtime(self.until).strftime("%H:%M:%S %Z")
        return f"Too many failed tries. Try again in {span}, at {clock}."


def _key(*parts: object) -> str:
    text = "\x1f".join(str(part) for part in parts)
    return salted_hmac("vrp.accounts.throttle", text, algorithm="sha256").hexdigest()


def for_password(
    username: str, user_id: int | None, visitor: Visitor
) -> tuple[Counted, ...]:
    """The keys of a sign-in by name and password."""
    name = unicodedata.normalize("NFKC", username).strip().casefold()
    device = visitor.device_of(user_id)
    if device:
        return (Counted(_key("password", "device", device), PLACE),)
    return (
        Counted(_key("password", name, visitor.ip), PLACE),
        Counted(_key("password", name), ACCOUNT),
        Counted(_key("password", "address", visitor.ip), ADDRESS, shared=True),
    )


def for_code(user_id: int, visitor: Visitor) -> tuple[Counted, ...]:
    """The keys of the second step, whose password was right already."""
    device = visitor.device_of(user_id)
    if device:
        return (Counted(_key("code", "device", device), PLACE),)
    return (
        Counted(_key("code", user_id, visitor.ip), PLACE),
        Counted(_key("code", user_id), ACCOUNT),
    )


def for_proof(user_id: int) -> tuple[Counted, ...]:
    """The key of a prompt within a session (old password, "is it still you")."""
    return (Counted(_key("proof", user_id), PLACE),)


@transaction.atomic
def take(keys: Iterable[Counted], *, user_id: int | None = None) -> None:
    """Count one guess for all keys, before it is checked.

    Raises ``MustWait``, and counts nothing, while any of them has to wait. The rows are
    locked in one order, so two guesses never wait for each other.
    """
    wanted = {one.key: one for one in keys}
    now = timezone.now()
    Tries.objects.bulk_create(
        [Tries(key=key, last_at=now) for key in sorted(wanted)], ignore_conflicts=True
    )
    locked = Tries.objects.select_for_update().filter(key__in=wanted).order_by("key")
    rows = list(locked)
    until = max((r.wait_until for r in rows if r.wait_until), default=now)
    if until > now:
        raise MustWait(until)
    for row in rows:
        one = wanted[row.key]
        limit = one.limit
        if (now - row.last_at).total_seconds() > limit.forget:
            row.failed = 0
        row.failed += 1
        row.last_at = now
        wait = limit.wait_after(row.failed)
        row.wait_until = now + wait if wait else None
        # An address is nobody's; of an account the clock notes that it was locked.
        row.user_id = None if one.shared else user_id
        row.is_noted = one.shared or not wait
        row.save()


@transaction.atomic
def give_back(keys: Iterable[Counted]) -> None:
    """The guess was right: forget the failures of its own keys, uncount the shared."""
    wanted = {one.key: one for one in keys}
    locked = Tries.objects.select_for_update().filter(key__in=wanted).order_by("key")
    for row in list(locked):
        one = wanted[row.key]
        row.failed = max(0, row.failed - 1) if one.shared else 0
        if row.failed < one.limit.free:
            row.wait_until, row.is_noted = None, True
        row.save()


def note_failure(what: str, *, user_id: int | None, visitor: Visitor) -> None:
    """One log line; neither the name that was typed nor the secret is in it."""
    log.warning("sign_in.failed", what=what, user=user_id, ip=visitor.ip)
