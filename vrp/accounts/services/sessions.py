"""Ending sessions."""

from django.db import transaction

from vrp.accounts.models import StaffSession, User
from vrp.accounts.services.record import note
from vrp.events.services import Actor


@transaction.atomic
def end_sessions(*, user: User, actor: Actor, keep: str = "", why: str = "") -> int:
    """Sign a person out everywhere, but for the session with the key ``keep``.

    Holds from their next request on, of pages that are open too. Returns how many ended;
    ``why`` is empty where another event tells the reason.
    """
    rows = StaffSession.objects.filter(user=user).exclude(session_key=keep)
    ended, _ = rows.delete()
    if why:
        note("sign_in.ended", user=user, actor=actor, sessions=ended, why=why)
    return ended
