"""Passwords: one's own, and the one-time link by which a new one is chosen."""

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from vrp.accounts.models import User
from vrp.accounts.services.record import note
from vrp.accounts.services.sessions import end_sessions
from vrp.errors import Invalid
from vrp.events.services import Actor


@transaction.atomic
def set_password(*, user: User, password: str, actor: Actor, keep: str = "") -> User:
    """Give the person this password and end their sessions, but for ``keep``.

    Raises ``Invalid`` for one that the validators refuse.
    """
    row = User.objects.select_for_update().get(pk=user.pk)
    try:
        validate_password(password, row)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field="password") from error
    row.set_password(password)
    row.save(update_fields=["password"])
    end_sessions(user=row, actor=actor, keep=keep)
    note("password.changed", user=row, actor=actor)
    return row


@transaction.atomic
def clear_password(*, user: User, actor: Actor) -> User:
    """The old password, all sessions and all older links end now; the caller hands the
    person ``one_time_link`` of the row that is returned."""
    row = User.objects.select_for_update().get(pk=user.pk)
    row.set_unusable_password()
    row.save(update_fields=["password"])
    end_sessions(user=row, actor=actor)
    note("password.reset", user=row, actor=actor)
    return row


def one_time_link(user: User) -> str:
    """Path of the page where the person chooses a password: once, within a day.

    It is signed with the present password's hash and stored nowhere, so it is void when
    a password is set or another reset follows.
    """
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    return reverse("set-password", args=[uid, token])
