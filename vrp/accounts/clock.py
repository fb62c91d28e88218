"""What happens to sign-ins by itself."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from vrp.accounts.models import SecondFactor, StaffSession, Tries
from vrp.accounts.services.record import note
from vrp.events.services import Actor
from vrp.ops.clock import every

KEEP_TRIES = timedelta(days=2)
KEEP_BEGUN = timedelta(days=1)


@every(minutes=5)
def tidy_sign_ins() -> dict[str, int]:
    """Put locked accounts on record; forget old failures and sessions that ended."""
    now = timezone.now()
    begun = SecondFactor.objects.filter(confirmed_at=None)
    return {
        "locked": note_locked_accounts(),
        "tries": Tries.objects.filter(last_at__lt=now - KEEP_TRIES).delete()[0],
        "sessions": StaffSession.objects.filter(expire_date__lt=now).delete()[0],
        "begun": begun.filter(created_at__lt=now - KEEP_BEGUN).delete()[0],
    }


@transaction.atomic
def note_locked_accounts() -> int:
    """One event for each person whose sign-in had to wait since the last look.

    Here and not at the sign-in itself, where the time it takes would tell that the
    account exists.
    """
    rows = Tries.objects.select_for_update(of=("self",), skip_locked=True).filter(
        is_noted=False, user__isnull=False
    )
    people = {}
    for row in list(rows.select_related("user")):
        people[row.user_id] = row
        row.is_noted = True
        row.save(update_fields=["is_noted"])
    for row in people.values():
        if row.user is not None:
            note(
                "sign_in.locked",
                user=row.user,
                actor=Actor.system("sign-in"),
                failed=row.failed,
            )
    return len(people)
