"""Who may open a console page at all."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from vrp.errors import NotAllowed

log = structlog.get_logger(__name__)
READING = ("GET", "HEAD", "OPTIONS")


def member(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorator of a console view: signed in, and a member of at least one tenant.

    Who holds no writing role (an auditor) is refused every post, here, once for all.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if request.tenant is None:  # type: ignore[attr-defined]
            message = (
                "You are signed in but belong to no brand. Ask its admin for a role."
            )
            return render(request, "403.html", {"message": message}, status=403)
        if request.method not in READING and not request.grant.may_write:  # type: ignore[attr-defined]
            log.warning("console.write_refused", path=request.path)
            raise NotAllowed("Your role reads everything and changes nothing.")
        return view(request, *args, **kwargs)

    guarded.console = True  # type: ignore[attr-defined]
    return guarded
