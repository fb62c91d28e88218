"""What is asked of a signed-in person before anything else works."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from vrp.accounts.models import Membership
from vrp.accounts.queries import must_have_second_factor
from vrp.accounts.sessions import SECOND_FACTOR, touch

ENROL = "/ops/account/second-factor/"
# What works without the second factor that a tenant demands: getting one, and leaving.
OPEN = (ENROL, "/ops/account/confirm/", "/ops/sign-out/", "/ops/sign-in/")


def stopped(request: HttpRequest, roles: list[Membership]) -> HttpResponse | None:
    """Another page than the one asked for, or None to go on.

    Runs with every request, so a rule that a tenant sets and a role that somebody is
    given act at once, on open pages too. A page that refreshes itself is nobody there.
    """
    session: Any = request.session
    if request.headers.get("X-Requested-With") != "fetch":
        touch(session)
    if session.get(SECOND_FACTOR) or request.path in OPEN:
        return None
    return redirect(ENROL) if must_have_second_factor(roles) else None
