"""How buyers' systems reach us and hear from us: API keys, webhooks and their log."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from orders.enums import Scope, WebhookState
from orders.keys import live_keys
from orders.models import ApiKey, Buyer, WebhookDelivery, WebhookEndpoint
from orders.services.keys import OVERLAP, issue_key, revoke_key, rotate_key
from vrp.accounts.enums import Permission
from vrp.accounts.permissions import require
from vrp.console.fields import DayField, LineField, WholeNumberField
from vrp.console.guard import member, recently_proved
from vrp.console.history import event_rows
from vrp.console.paging import page_of
from vrp.console.states import Meaning
from vrp.console.today import Card, waits_for
from vrp.errors import DomainError
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.text import typed

# The middleware adds ``tenant`` and ``grant``.
Request = Any
# So long before its end a key is spoken of.
SOON = timedelta(days=14)
SHOWN_EVENTS = 12
SHOWN_TRIES = 20


class KeyForm(forms.Form):
    """A new key."""

    buyer: forms.ModelChoiceField = forms.ModelChoiceField(
        Buyer.objects.none(), empty_label="Choose"
    )
    name = LineField(max_length=80, help_text="Which system uses it, such as ERP.")
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=Scope.choices,
        initial=[Scope.ORDERS_READ, Scope.ORDERS_WRITE, Scope.PRODUCTS_READ],
        widget=forms.CheckboxSelectMultiple,
    )
    expires_on = DayField(
        label="Last day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: it holds until it is revoked.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["buyer"].queryset = Buyer.objects.all()  # type: ignore[attr-defined]

    def expires_at(self) -> datetime | None:
        """The end of the last day, where the brand is."""
        day = self.cleaned_data["expires_on"]
        if day is None:
            return None
        return timezone.make_aware(datetime.combine(day, time.max))


class RotateForm(forms.Form):
    """How long the old key holds beside the new one."""

    days = WholeNumberField(
        label="Days for which the old key still holds",
        min_value=0,
        max_value=90,
        initial=OVERLAP.days,
        help_text="0 ends it at once.",
    )


def with_successor(rows: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
    """Keys with ``replaced``: whether a later one of their line took their place."""
    later = ApiKey.objects.filter(pk__gt=OuterRef("pk")).filter(
        Q(first_id=OuterRef("first_id")) | Q(first_id=OuterRef("pk"))
    )
    return rows.annotate(replaced=Exists(later))


def state_of(key: ApiKey) -> tuple[str, Meaning]:
    """What a key is, in a word or two, and how bad that is."""
    now = timezone.now()
    if key.revoked_at:
        return "revoked", Meaning.NEUTRAL
    if key.expires_at and key.expires_at <= now:
        return "expired", Meaning.NEUTRAL
    if getattr(key, "replaced", False):
        return "being replaced", Meaning.WAITING
    if key.expires_at and key.expires_at <= now + SOON:
        return "ends soon", Meaning.WARN
    return "valid", Meaning.GOOD


@require_safe
@member
def key_list(request: Request) -> HttpResponse:
    """All keys, the newest first; ``all`` shows those that open nothing any more too."""
    everything = request.GET.get("all") == "1"
    rows = ApiKey.objects.all() if everything else live_keys()
    page = page_of(
        request, with_successor(rows.select_related("buyer")), order=("-id",)
    )
    for key in page.rows:
        key.state_words, key.meaning = state_of(key)
    context = {
        "page": page,
        "everything": everything,
        "may_change": request.grant.may(Permission.MANAGE_KEYS),
    }
    return render(request, "orders/api_keys.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member
@require(Permission.MANAGE_KEYS)
@recently_proved
def key_new(request: Request) -> HttpResponse:
    """POST ``buyer`` (id), ``name``, ``scopes``, ``expires_on``: the answer shows the key,
    this once."""
    form = KeyForm(request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            given = form.cleaned_data
            try:
                key, text = issue_key(
                    buyer=given["buyer"],
                    name=given["name"],
                    scopes=given["scopes"],
                    expires_at=form.expires_at(),
                    actor=Actor.user(request.user),
                )
                return _show_once(request, key, text)
            except DomainError as error:
                field = "expires_on" if error.field == "expires_at" else error.field
                form.add_error(field if field in form.fields else None, error.message)
        status = 422
    return render(request, "orders/api_key_new.html", {"form": form}, status=status)


def _show_once(
    request: Request, key: ApiKey, text: str, old: ApiKey | None = None
) -> HttpResponse:
    """The whole key, in this one answer and nowhere else: it is no redirect, because then
    it would have to be kept in between."""
    context = {"key": key, "text": text, "old": old}
    return render(request, "orders/api_key_secret.html", context)


def _key(pk: int) -> ApiKey:
    rows = with_successor(ApiKey.objects.select_related("buyer"))
    key = rows.filter(pk=pk).first()
    if key is None:
        raise Http404
    return key


@require_safe
@member
def key_page(request: Request, pk: int) -> HttpResponse:
    """One key. Forms: ``.../rotate/`` (``days``), ``.../revoke/`` (``reason``)."""
    key = _key(pk)
    words, meaning = state_of(key)
    line = Q(pk=key.line_id) | Q(first_id=key.line_id)
    events = Event.objects.filter(subject_type="apikey", subject_id=key.pk)
    is_live = words in ("valid", "ends soon", "being replaced")
    may = request.grant.may(Permission.MANAGE_KEYS)
    context = {
        "key": key,
        "state_words": words,
        "meaning": meaning,
        "scopes": [Scope(one).label for one in key.scopes if one in Scope.values],
        "others": ApiKey.objects.filter(line).exclude(pk=key.pk).order_by("-id"),
        "may_rotate": may and is_live and not key.replaced,  # type: ignore[attr-defined]
        "may_revoke": may and is_live,
        "form": RotateForm(),
        "events": event_rows(events.order_by("-id")[:SHOWN_EVENTS]),
    }
    return render(request, "orders/api_key.html", context)


@require_POST
@member
@require(Permission.MANAGE_KEYS)
@recently_proved
def key_rotate(request: Request, pk: int) -> HttpResponse:
    """POST ``days``: a successor, shown this once; the old key holds so many days more."""
    key = _key(pk)
    form = RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a number of days from 0 to 90.")
        return redirect("api-key", pk=pk)
    try:
        made, text = rotate_key(
            key=key,
            overlap=timedelta(days=form.cleaned_data["days"]),
            actor=Actor.user(request.user),
        )
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("api-key", pk=pk)
    key.refresh_from_db()
    return _show_once(request, made, text, old=key)


@require_POST
@member
@require(Permission.MANAGE_KEYS)
@recently_proved
def key_revoke(request: Request, pk: int) -> HttpResponse:
    """POST ``reason``: the key opens nothing from the next request on."""
    key = _key(pk)
    try:
        reason = typed(request.POST.get("reason", ""), "reason", most=200)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("api-key", pk=pk)
    revoke_key(key=key, actor=Actor.user(request.user), reason=reason)
    messages.success(request, f"{key.prefix} opens nothing any more.")
    return redirect("api-key", pk=pk)


@require_safe
@member
def webhook_list(request: HttpRequest) -> HttpResponse:
    """The addresses that buyers want to be told at."""
    waiting = Q(deliveries__state__in=(WebhookState.QUEUED, WebhookState.SENDING))
    rows = WebhookEndpoint.objects.select_related("buyer").annotate(
        waiting=Count("deliveries", filter=waiting),
        failed=Count("deliveries", filter=Q(deliveries__state=WebhookState.FAILED)),
    )
    page = page_of(request, rows, order=("-id",))
    return render(request, "orders/webhooks.html", {"page": page})


@require_safe
@member
def webhook_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One endpoint: what was sent to it, and every attempt of each delivery."""
    endpoint = WebhookEndpoint.objects.select_related("buyer").filter(pk=pk).first()
    if endpoint is None:
        raise Http404
    rows = WebhookDelivery.objects.filter(endpoint=endpoint).prefetch_related("tries")
    page = page_of(request, rows, order=("-id",))
    for row in page.rows:
        row.shown = list(row.tries.all())[-SHOWN_TRIES:]
    events = Event.objects.filter(subject_type="webhookendpoint", subject_id=pk)
    context = {
        "endpoint": endpoint,
        "page": page,
        "events": event_rows(events.order_by("-id")[:SHOWN_EVENTS]),
    }
    return render(request, "orders/webhook.html", context)


@waits_for(Permission.MANAGE_KEYS)
def keys_wait(request: HttpRequest) -> list[Card]:
    """Keys that end soon and that nothing replaces: the first one is named."""
    soon = with_successor(live_keys().filter(expires_at__lte=timezone.now() + SOON))
    ordered = soon.select_related("buyer").order_by("expires_at", "id")
    rows = [key for key in ordered if not key.replaced]  # type: ignore[attr-defined]
    if not rows:
        return []
    first = rows[0]
    day = timezone.localtime(first.expires_at).strftime("%-d %B")
    detail = f"{first.name} of {first.buyer.name} on {day}: replace it before"
    url = f"/ops/api-keys/{first.pk}/" if len(rows) == 1 else "/ops/api-keys/"
    return [Card("API keys end soon", len(rows), detail, url, tone="warn")]
