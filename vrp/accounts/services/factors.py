"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes.

pyotp computes the codes; all else is ours, because it has to hold under the row's lock:
a code is accepted once, in its own 30 seconds or the one before or after (a phone's
clock may be off), and never an older one than the newest accepted.
"""

import hashlib
import secrets
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Begun:
    """A secret that waits for its first code. It lives in the session that began it and
    nowhere else, so nobody can plant one that another session is then shown."""

    sealed: str
    # The second factor it takes the place of; None for a first one.
    over: int | None = None

    @property
    def secret(self) -> str:
        """In base 32, as apps want it typed."""
        return open_text(self.sealed)


def begin(*, user: User, replacing: bool = False) -> Begun:
    """A new secret to be set up in an app; nothing is asked for until it is confirmed.

    Raises ``IllegalMove`` for somebody who has a second factor, unless ``replacing`` it:
    then the old one stays in force until the new one is confirmed. Who calls so has just
    asked for a code of the old one.
    """
    row = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()
    if row is not None and not replacing:
        raise IllegalMove("You have a second factor already.")
    return Begun(seal_text(pyotp.random_base32()), row.pk if row else None)


def secret_of(row: SecondFactor) -> str:
    """The secret in base 32. Shown to nobody once it is in use."""
    return open_text(row.secret_sealed)


def address_of(user: User, secret: str) -> str:
    """The ``otpauth://`` address that apps read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(
        name=user.get_username(), issuer_name="Virtual resource planner"
    )


@transaction.atomic
def confirm(
    *, user: User, begun: Begun, code: str, actor: Actor, keep: str = ""
) -> list[str]:
    """Put the second factor to use by its first code; sessions other than ``keep``, which
    did without, end. Returns the recovery codes, which nobody can show again.

    Raises ``Invalid`` for a wrong code and ``IllegalMove`` if another second factor came
    into use since it was begun.
    """
    User.objects.select_for_update().get(pk=user.pk)
    old = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()
    if old is not None and old.pk != begun.over:
        raise IllegalMove("You have a second factor already.")
    step = _right_step(begun.secret, code, after=0)
    if old is not None:
        note("second_factor.replaced", user=user, actor=actor)
    _drop(user)
    SecondFactor.objects.create(
        user=user,
        secret_sealed=begun.sealed,
        confirmed_at=timezone.now(),
        last_step=step,
    )
    end_sessions(user=user, actor=actor, keep=keep)
    note("second_factor.enrolled", user=user, actor=actor)
    return _new_recovery_codes(user)


def _right_step(secret: str, code: str, *, after: int) -> int:
    """The 30-second step the code is of. Raises ``Invalid`` for none after ``after``."""
    digits = "".join(code.split())
    now = int(timezone.now().timestamp()) // STEP_SECONDS
    app = pyotp.TOTP(secret, interval=STEP_SECONDS)
    for step in (now + drift for drift in DRIFT):
        right = secrets.compare_digest(app.generate_otp(step), _ascii(digits))
        if right and step > after:
            return step
    raise Invalid(WRONG, field="code")


def _accept(row: SecondFactor, code: str) -> None:
    """Use up a code of the app. The row is locked, so a repeated one comes too late."""
    row.last_step = _right_step(secret_of(row), code, after=row.last_step)
    row.save(update_fields=["last_step"])


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
def drop_for(*, user: User, actor: Actor) -> None:
    """Take away somebody else's second factor: the phone is lost, or the person asked.

    The caller has checked that ``actor`` may. They enrol again at the next sign-in where
    it is demanded.
    """
    if _drop(user):
        note("second_factor.reset", user=user, actor=actor)
