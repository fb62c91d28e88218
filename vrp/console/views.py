"""Choosing the tenant, and the Today page."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from vrp.accounts.middleware import switch_tenant
from vrp.console import styleguide as samples
from vrp.console.guard import member
from vrp.console.today import cards
from vrp.errors import NotAllowed
from vrp.events.models import Event

SHOWN_EVENTS = 12
# Each offer brings up to four lines about its message.
READ_EVENTS = 200
# What the machines did to carry the work: each thing's own page tells it.
PLUMBING = ("message.", "channel.", "webhook.", "sign_in.")


@require_POST
@login_required
def tenant(request: HttpRequest) -> HttpResponse:
    """Continue as another of one's tenants."""
    return switch_tenant(request)


@require_safe
@member
def today(request: HttpRequest) -> HttpResponse:
    """What waits for me, and what happened last."""
    waiting = cards(request, request.grant)  # type: ignore[attr-defined]
    return render(request, "vrp/today.html", {"cards": waiting, "latest": _latest()})


def _latest() -> list[Event]:
    """The newest events about the work itself. The record grows without end, so only
    its newest rows are read, and sorted out here."""
    newest = Event.objects.order_by("-id")[:READ_EVENTS]
    return [row for row in newest if not row.name.startswith(PLUMBING)][:SHOWN_EVENTS]


def styleguide(request: HttpRequest) -> HttpResponse:
    """Every part of the console on one page, for those who build screens."""
    if not (settings.EMBEDDED or settings.DEBUG):
        raise Http404
    return render(request, "vrp/styleguide.html", samples.context())


def office_sign_in(request: HttpRequest) -> HttpResponse:
    """The admin's own login page is not used: one sign-in for all of /ops/.

    Who is signed in and is sent here has no role that opens the back office; another
    sign-in page would send them back and forth.
    """
    if request.user.is_authenticated:
        raise NotAllowed(
            "Your role does not open the back office. Ask a tenant admin if you need it."
        )
    wanted = request.GET.get("next", "/ops/office/")
    return redirect(f"/ops/sign-in/?{urlencode({'next': wanted})}")


def office_password(request: HttpRequest) -> HttpResponse:
    """One's own password is changed in one place, which counts wrong guesses."""
    return redirect("/ops/account/password/")
