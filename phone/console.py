"""Messages: what was said to and by workshops, and what did not get through."""

from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from phone import failures, queries
from phone.enums import Direction, MessageState
from phone.models import Message
from phone.services import close_message, send_again
from vrp.accounts.enums import Permission
from vrp.accounts.permissions import require
from vrp.console.formats import relative_time
from vrp.console.guard import member
from vrp.console.paging import page_of
from vrp.console.today import Card, waits_for
from vrp.events.services import Actor

TABS = [("", "Both ways"), (Direction.OUT, "Sent"), (Direction.IN, "Received")]


def visible(request: HttpRequest) -> QuerySet[Message]:
    """Messages this person may see: a field worker those of her regions' workshops."""
    limit = request.grant.region_limit  # type: ignore[attr-defined]
    rows = Message.objects.select_related("workshop")
    return rows if limit is None else rows.filter(workshop__area__region__in=limit)


@require_safe
@member
def message_list(request: HttpRequest) -> HttpResponse:
    """Newest first. GET: ``direction`` (out, in), ``state`` (a message's state), ``q`` (a
    workshop's code or name)."""
    direction = request.GET.get("direction", "")
    state = request.GET.get("state", "")
    words = request.GET.get("q", "").replace("\x00", "").strip()[:60]
    rows = visible(request)
    if direction in Direction.values:
        rows = rows.filter(direction=direction)
    if state in MessageState.values:
        rows = rows.filter(state=state)
    if words:
        named = Q(workshop__code__icontains=words) | Q(workshop__name__icontains=words)
        rows = rows.filter(named)
    context: dict[str, Any] = {
        "page": page_of(request, rows),
        "tabs": TABS,
        "states": MessageState.choices,
        "direction": direction,
        "state": state,
        "q": words,
        "stopped": queries.stopped_channel(),
        "may_send": request.grant.may(Permission.SEND_MESSAGES),  # type: ignore[attr-defined]
    }
    if context["stopped"]:
        context["stopped_words"] = failures.words(context["stopped"].stopped_reason)
    return render(request, "phone/messages.html", context)


@require_POST
@member
@require(Permission.SEND_MESSAGES)
def message_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a failed or unknown message anew. No fields."""
    message = _message(request, pk)
    actor = Actor.user(request.user)
    fresh = send_again(message=message, actor=actor)
    messages.success(request, f"Written again to {fresh.workshop or 'the same phone'}.")
    return redirect("messages")


@require_POST
@member
@require(Permission.SEND_MESSAGES)
def message_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Set a message aside that needs no more attention. No fields."""
    close_message(message=_message(request, pk), actor=Actor.user(request.user))
    messages.success(request, "Set aside.")
    return redirect("messages")


def _message(request: HttpRequest, pk: int) -> Message:
    message = visible(request).filter(pk=pk).first()
    if message is None:
        raise Http404
    return message


@waits_for(Permission.SEND_MESSAGES)
def messages_wait(request: HttpRequest) -> list[Card]:
    """Senders nobody knows, messages nobody knows the end of, and a refused account."""
    stopped = queries.stopped_channel()
    cards = [
        Card(
            "Messages from unknown numbers",
            queries.unmatched_count(),
            "Is it a workshop's new number?",
            "/ops/messages/?state=unmatched",
            tone="warn",
        ),
        Card(
            "Messages with unknown outcome",
            queries.unknown_count(),
            "The carrier's answer was lost; sending again may send twice",
            "/ops/messages/?state=unknown",
            tone="unknown",
        ),
    ]
    if stopped and stopped.stopped_until:
        again = relative_time(stopped.stopped_until, now=timezone.now())
        words = failures.words(stopped.stopped_reason)
        detail = f"{words.capitalize()}; the next try is {again}"
        url = "/ops/messages/?state=queued"
        cards.append(Card("No SMS leaves", 1, detail, url, tone="bad"))
    return cards
