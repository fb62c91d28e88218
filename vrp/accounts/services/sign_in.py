"""The two steps of signing in: name and password, then the code."""

import structlog
from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest

from vrp.accounts import throttle
from vrp.accounts.models import User
from vrp.accounts.services import factors
from vrp.accounts.services.record import note
from vrp.accounts.visitor import Visitor
from vrp.errors import Invalid
from vrp.events.services import Actor

log = structlog.get_logger(__name__)


def check_password(
    *, request: HttpRequest, username: str, password: str, visitor: Visitor
) -> User | None:
    """The person, if name and password are right; None for every other reason.

    An unknown name, a switched-off person and a wrong password cost the same queries
    and the same hashing. Raises ``throttle.MustWait``.
    """
    known = User.objects.filter(username=username).values_list("pk", flat=True).first()
    keys = throttle.for_password(username, known, visitor)
    throttle.take(keys, user_id=known)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        throttle.note_failure("password", user_id=known, visitor=visitor)
        return None
    throttle.give_back(keys)
    return user


def check_code(*, user: User, code: str, visitor: Visitor) -> None:
    """The second step: a code of the app, or a recovery code.

    Raises ``Invalid`` for a wrong, used or outdated one and ``throttle.MustWait``.
    """
    keys = throttle.for_code(user.pk, visitor)
    throttle.take(keys, user_id=user.pk)
    try:
        factors.use_code(user=user, code=code)
    except Invalid:
        throttle.note_failure("code", user_id=user.pk, visitor=visitor)
        raise
    throttle.give_back(keys)


def check_still_you(*, user: User, proof: str, visitor: Visitor) -> None:
    """The prompt within a session: the code for those who have a second factor, else the
    password. Raises ``Invalid`` if wrong and ``throttle.MustWait``."""
    keys = throttle.for_proof(user.pk)
    throttle.take(keys, user_id=user.pk)
    try:
        if factors.is_enrolled(user):
            factors.use_code(user=user, code=proof)
        elif not user.check_password(proof):
            raise Invalid("This is not your password.", field="proof")
    except Invalid:
        throttle.note_failure("proof", user_id=user.pk, visitor=visitor)
        raise
    throttle.give_back(keys)


@transaction.atomic
def note_signed_in(*, user: User, visitor: Visitor, second_factor: bool) -> None:
    """Put a sign-in on record. The address is in the log only: it is forgotten, while
    the record is kept."""
    log.info("sign_in.done", user=user.pk, ip=visitor.ip, second_factor=second_factor)
    actor = Actor.user(user)
    note("sign_in.done", user=user, actor=actor, second_factor=second_factor)
