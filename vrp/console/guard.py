"""Who may open a console page at all."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from vrp.accounts.sessions import proved_seconds_ago
from vrp.errors import NotAllowed

log = structlog.get_logger(__name__)
READING = ("GET", "HEAD", "OPTIONS")


def is_ours(request: HttpRequest, address: str) -> bool:
    """Whether this is a page of the console, so that one may be sent there."""
    plain = address.startswith("/ops/") and address.isprintable()
    return plain and url_has_allowed_host_and_scheme(
        address, {request.get_host()}, require_https=request.is_secure()
    )


def here(request: HttpRequest) -> str:
    """Where to come back to: this page, or the one that holds the form just sent."""
    if request.method in READING:
        return request.get_full_path()
    try:
        parts = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # such as half of an IPv6 address
        return "/ops/"
    page = f"{parts.path}?{parts.query}" if parts.query else parts.path
    same_host = parts.netloc == request.get_host()
    return page if same_host and is_ours(request, page) else "/ops/"


def signed_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorator of a page about oneself: signed in, whatever the role."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(here(request))
        return view(request, *args, **kwargs)

    guarded.console = True  # type: ignore[attr-defined]
    return guarded


def member(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorator of a console view: signed in, and a member of at least one tenant.

    Who holds no writing role (an auditor) is refused every post, here, once for all.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(here(request))
        if request.tenant is None:  # type: ignore[attr-defined]
            message = (
                "You are signed in but belong to no brand. Ask its admin for a role."
            )
            return render(request, "403.html", {"message": message}, status=403)
        refuse_readers(request)
        return view(request, *args, **kwargs)

    guarded.console = True  # type: ignore[attr-defined]
    return guarded


def refuse_readers(request: HttpRequest) -> None:
    """Raise ``NotAllowed`` for a post by somebody who holds no writing role."""
    if request.method not in READING and not request.grant.may_write:  # type: ignore[attr-defined]
        raise NotAllowed("Your role reads everything and changes nothing.")


def recently_proved(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorator of a sensitive act: who has not proved to be there for
    ``settings.PROOF_SECONDS`` is asked for password or code first, and comes back."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if proved_seconds_ago(request.session) <= settings.PROOF_SECONDS:
            return view(request, *args, **kwargs)
        if request.method not in READING:
            messages.warning(
                request, "Nothing was changed yet. Once you are through, send it again."
            )
        return redirect(f"/ops/account/confirm/?{urlencode({'next': here(request)})}")

    return guarded
