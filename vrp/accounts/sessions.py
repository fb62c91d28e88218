"""Sessions of the staff: rows in PostgreSQL that say whose they are and when they end.

``SESSION_ENGINE``. A session ends when its row does: after ``SESSION_IDLE`` seconds
without a click, ``SESSION_COOKIE_AGE`` seconds after signing in, or when somebody ends it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from vrp.accounts.models import StaffSession

# What we keep in a session besides Django's own.
STARTED = "started_at"  # seconds since 1970: name, password and code were right
PROVED = "proved_at"  # the same, at the newest prompt
SECOND_FACTOR = "second_factor"  # True: with a code
BEGUN = (
    "second_factor_begun"  # an app being set up: its sealed secret, what it replaces
)
PENDING = "pending"  # the password was right, the code is still to come
# Between password and code, and for messages to people not signed in.
DOORSTEP_SECONDS = 600
# One write a minute and person at most.
TOUCH_SECONDS = 60


class SessionStore(DatabaseStore):
    """Django's database sessions with a row that names its owner."""

    row: StaffSession | None = None

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        return StaffSession

    def _get_session_from_db(self) -> StaffSession | None:
        # Django's own hook, which the stubs leave out.
        found: StaffSession | None = super()._get_session_from_db()  # type: ignore[misc]
        if found is not None:
            self.row = found
        return found

    def create_model_instance(self, data: dict[str, Any]) -> StaffSession:
        now = timezone.now()
        if SESSION_KEY in data:
            data.setdefault(STARTED, now.timestamp())
        row = cast(StaffSession, super().create_model_instance(data))
        row.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.started_at = started_at(data, now)
        row.seen_at = now
        row.ip, row.agent = str(data.get("ip", "")), str(data.get("agent", ""))
        row.expire_date = expires_at(row, now)
        return row


def started_at(data: Any, now: datetime) -> datetime:
    """When the session's owner signed in; now if nobody has."""
    stamp = data.get(STARTED)
    return now if stamp is None else datetime.fromtimestamp(stamp, UTC)


def expires_at(row: StaffSession, now: datetime) -> datetime:
    """When this session ends if nothing happens any more."""
    if row.user_id is None:
        return now + timedelta(seconds=DOORSTEP_SECONDS)
    idle = now + timedelta(seconds=settings.SESSION_IDLE)
    latest = row.started_at + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return min(idle, latest)


def touch(session: Any) -> None:
    """Somebody is there: move the idle end on."""
    row, now = getattr(session, "row", None), timezone.now()
    if row is None or row.user_id is None:
        return
    if (now - row.seen_at).total_seconds() >= TOUCH_SECONDS:
        row.seen_at, row.expire_date = now, expires_at(row, now)
        # By key: a session that was ended meanwhile does not come back.
        StaffSession.objects.filter(pk=row.pk).update(
            seen_at=row.seen_at, expire_date=row.expire_date
        )


def proved_seconds_ago(session: Any) -> float:
    """How long ago its owner last proved to be there."""
    now = timezone.now()
    stamp = session.get(PROVED) or session.get(STARTED)
    return now.timestamp() - stamp if stamp else float("inf")
