"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes.

pyotp computes the codes; all else is ours, because it has to hold under the row's lock:
a code is accepted once, in its own 30 seconds or the one before or after (a phone's
clock may be off), and never an older one than the newest accepted.
"""

import hashlib
import secrets

import pyotp
from django.db import transaction
from django.utils import timezone

from vrp.accounts.models import Membership, RecoveryCode, SecondFactor, User
from vrp.accounts.queries import must_have_second_factor
from vrp.accounts.services.record import note
from vrp.accounts.services.sessions import end_sessions
from vrp.errors import IllegalMove, Invalid, NotAllowed
from vrp.events.services import Actor
from vrp.secrets import open_text, seal_text

STEP_SECONDS = 30
DRIFT = (0, -1, 1)
RECOVERY_CODES = 10
# No 0, 1, I or O: they are read from paper. 16 of 32 letters are 80 random bits.
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
GROUPS, GROUP = 4, 4
WRONG = "This code is not right, or was used already. Wait for the next one."


def is_enrolled(user: User) -> bool:
    """Whether the person has a second factor in use."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()


@transaction.atomic
def begin(*, user: User) -> SecondFactor:
    """Make a secret to be set up in an app; nothing is asked for until it is confirmed.

    Begun already: the same secret again, so that a reloaded page shows what was scanned.
    Raises ``IllegalMove`` for somebody who has a second factor.
    """
    User.objects.select_for_update().get(pk=user.pk)
    row = SecondFactor.objects.filter(user=user).first()
    if row is None:
        sealed = seal_text(pyotp.random_base32())
        row = SecondFactor.objects.create(user=user, secret_sealed=sealed)
    if row.confirmed_at:
        raise IllegalMove("You have a second factor already.")
    return row


def secret_of(row: SecondFactor) -> str:
    """The secret in base 32, as apps want it typed. Shown while it is being set up."""
    return open_text(row.secret_sealed)


def address_of(row: SecondFactor) -> str:
    """The ``otpauth://`` address that apps read from a QR code."""
    account = row.user.get_username()
    return pyotp.TOTP(secret_of(row)).provisioning_uri(
        name=account, issuer_name="Virtual resource planner"
    )


@transaction.atomic
def confirm(*, user: User, code: str, actor: Actor, keep: str = "") -> list[str]:
    """Put the second factor to use by its first code; sessions other than ``keep``, which
    did without, end. Returns the recovery codes, which nobody can show again.

    Raises ``Invalid`` for a wrong code.
    """
    row = SecondFactor.objects.select_for_update().filter(user=user).first()
    if row is None or row.confirmed_at:
        raise IllegalMove("There is no second factor to confirm. Begin again.")
    _accept(row, code)
    row.confirmed_at = timezone.now()
    row.save(update_fields=["confirmed_at"])
    end_sessions(user=user, actor=actor, keep=keep)
    note("second_factor.enrolled", user=user, actor=actor)
    return _new_recovery_codes(user)


def _accept(row: SecondFactor, code: str) -> None:
    """Use up a code of the app. The row is locked, so a repeated one comes too late."""
    digits = "".join(code.split())
    now = int(timezone.now().timestamp()) // STEP_SECONDS
    app = pyotp.TOTP(secret_of(row), interval=STEP_SECONDS)
    for step in (now + drift for drift in DRIFT):
        right = secrets.compare_digest(app.generate_otp(step), _ascii(digits))
        if right and step > row.last_step:
            row.last_step = step
            row.save(update_fields=["last_step"])
            return
    raise Invalid(WRONG, field="code")


def _ascii(text: str) -> str:
    return text if text.isascii() else ""


@transaction.atomic
def use_code(*, user: User, code: str) -> None:
    """Accept a code of the app or a recovery code, and use it up.

    Raises ``Invalid``; also for somebody without a second factor.
    """
    row = (
        SecondFactor.objects.select_for_update()
        .filter(user=user, confirmed_at__isnull=False)
        .first()
    )
    if row is None:
        raise Invalid(WRONG, field="code")
    letters = _letters(code)
    if len(letters) == GROUPS * GROUP:
        return _use_recovery_code(user, letters)
    return _accept(row, code)


def _letters(code: str) -> str:
    return "".join(sign for sign in code.upper() if sign.isalnum())


def _digest(salt: str, letters: str) -> str:
    # 80 random bits cannot be searched, so one round of a salted hash is enough.
    return hashlib.sha256(f"{salt}{letters}".encode()).hexdigest()


def _use_recovery_code(user: User, letters: str) -> None:
    for row in user.recovery_codes.select_for_update().filter(used_at__isnull=True):
        if secrets.compare_digest(row.digest, _digest(row.salt, letters)):
            row.used_at = timezone.now()
            row.save(update_fields=["used_at"])
            left = user.recovery_codes.filter(used_at__isnull=True).count()
            actor = Actor.user(user)
            note("second_factor.recovery_used", user=user, actor=actor, left=left)
            return
    raise Invalid(WRONG, field="code")


def _new_recovery_codes(user: User) -> list[str]:
    user.recovery_codes.all().delete()
    codes = [
        "".join(secrets.choice(LETTERS) for _ in range(GROUPS * GROUP))
        for _ in range(RECOVERY_CODES)
    ]
    rows = []
    for code in codes:
        salt = secrets.token_hex(16)
        rows.append(RecoveryCode(user=user, salt=salt, digest=_digest(salt, code)))
    RecoveryCode.objects.bulk_create(rows)
    return [
        "-".join(code[i : i + GROUP] for i in range(0, 16, GROUP)) for code in codes
    ]


@transaction.atomic
def renew_recovery_codes(*, user: User, actor: Actor) -> list[str]:
    """New recovery codes; the old ones are void. Raises ``IllegalMove`` without a second
    factor. Who calls has just asked for a code."""
    if not is_enrolled(user):
        raise IllegalMove("You have no second factor.")
    User.objects.select_for_update().get(pk=user.pk)
    codes = _new_recovery_codes(user)
    note("second_factor.recovery_renewed", user=user, actor=actor)
    return codes


@transaction.atomic
def remove(*, user: User, actor: Actor) -> None:
    """Give up one's own second factor. Who calls has just asked for a code.

    Raises ``NotAllowed`` while a tenant demands it.
    """
    rows = Membership.objects.filter(user=user, tenant__is_active=True)
    if must_have_second_factor(rows.select_related("tenant")):
        raise NotAllowed(
            "Your brand asks for a second factor, so it cannot be removed."
        )
    if _drop(user):
        note("second_factor.removed", user=user, actor=actor)


def _drop(user: User) -> int:
    user.recovery_codes.all().delete()
    dropped, _ = SecondFactor.objects.filter(user=user).delete()
    return dropped


@transaction.atomic
def replace(*, user: User, actor: Actor) -> SecondFactor:
    """Begin with a new phone: the old one's codes are void at once. Who calls has just
    asked for one of them; the session goes on, the next sign-in needs the new app."""
    if _drop(user):
        note("second_factor.replaced", user=user, actor=actor)
    return begin(user=user)


@transaction.atomic
def drop_for(*, user: User, actor: Actor) -> None:
    """Take away somebody else's second factor: the phone is lost, or the person asked.

    The caller has checked that ``actor`` may. They enrol again at the next sign-in where
    it is demanded.
    """
    if _drop(user):
        note("second_factor.reset", user=user, actor=actor)
