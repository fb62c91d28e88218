"""The carrier's callbacks: USSD turns, incoming SMS, delivery reports.

Nothing signs them, so the path carries a secret per tenant, and every important fact is
checked against our own rows. Bodies are decoded here and not by Django, because a form in
any encoding, with any bytes, must end in the carrier's own form and never in an error
page: USSD always HTTP 200 and ``CON ``/``END ``, the others a plain sentence.

Rate limits lose nothing. Over its own, a USSD turn is asked to dial again. An incoming SMS
over the tenant's is answered 503 before anything is read: the carrier repeats it every
minute for twelve hours. Whether it repeats delivery reports is not known, so these are
always taken. Wrong addresses are slowed down by where they come from; a right one is
served from anywhere, since the carrier calls for all tenants from the same few addresses,
and one mistyped callback of one tenant must not silence the others.
"""

import re
import zoneinfo
from collections.abc import Callable
from functools import wraps
from urllib.parse import parse_qsl

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.request import RawPostDataException
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from artisans.models import Workshop
from phone import texts
from phone.models import Channel
from phone.services import take_inbound, take_report
from phone.ussd import engine
from vrp.rates import Taken, address_of, take
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

log = structlog.get_logger(__name__)
BODY_LIMIT = 16 * 1024
FIELD_LIMIT = 50
SECRET = re.compile(r"([1-9][0-9]{0,17})-([0-9a-f]{40})")
Form = dict[str, str]
View = Callable[[HttpRequest, Tenant], HttpResponse]


class BadForm(Exception):
    """What came is not a form the carrier could have sent. ``status`` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def plain(text: str, status: int = 200) -> HttpResponse:
    """The only kind of answer that the carrier reads."""
    return HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)


def form_of(request: HttpRequest) -> Form:
    """The posted fields, each with its last value. Raises BadForm.

    Bytes that are no UTF-8 become U+FFFD, and NUL (which no text column holds) is
    dropped; what the fields mean is judged by who reads them.
    """
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError as error:
        raise BadForm(400, "The length of the request is not a number.") from error
    if announced > BODY_LIMIT:
        raise BadForm(413, f"At most {BODY_LIMIT} bytes.")
    try:
        body = request.read(BODY_LIMIT + 1)
    except (OSError, RawPostDataException) as error:
        raise BadForm(400, "The request broke off.") from error
    if len(body) > BODY_LIMIT:
        raise BadForm(413, f"At most {BODY_LIMIT} bytes.")
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace").replace("\x00", ""),
            keep_blank_values=True,
            errors="replace",
            max_num_fields=FIELD_LIMIT,
        )
    except ValueError as error:
        raise BadForm(400, "Too many fields.") from error
    return {name: value.replace("\x00", "") for name, value in pairs}


def carrier_route(view: View) -> Callable[..., HttpResponse]:
    """Decorator: find the tenant by the path's secret and enter its scope and zone.

    A wrong secret is a 404 that says nothing; any method but POST is a 405, whatever the
    secret is.
    """

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, secret: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        tenant = _tenant_of(secret)
        if tenant is None:
            return _wrong(request)
        with tenant_scope(tenant):
            if not _is_route_of(secret):
                return _wrong(request)
            with timezone.override(_zone(tenant)):
                return view(request, tenant)

    return guarded


def _wrong(request: HttpRequest) -> HttpResponse:
    """404; 429 for who tries many."""
    tried = take("guess", address_of(request), settings.RATES["guess"])
    if tried:
        return plain("Not found", 404)
    return _later("Too many wrong addresses.", 429, tried)


def _later(text: str, status: int, tried: Taken) -> HttpResponse:
    answer = plain(text, status)
    answer["Retry-After"] = str(tried.wait_seconds)
    return answer


def _tenant_of(secret: str) -> Tenant | None:
    match = SECRET.fullmatch(secret)
    if match is None:
        return None
    return Tenant.objects.filter(pk=int(match[1]), is_active=True).first()


def _is_route_of(secret: str) -> bool:
    """Whether it is the active tenant's route; takes as long whatever is wrong with it."""
    channel = Channel.objects.only(
        "route_secret", "old_route_secret", "old_route_until"
    ).first()
    now, old = "none", "none"
    if channel is not None:
        now, until = channel.route_secret, channel.old_route_until
        old = channel.old_route_secret if until and until > timezone.now() else now
    # Both are looked at, whatever the first one says.
    return constant_time_compare(secret, now) | constant_time_compare(secret, old)


def _zone(tenant: Tenant) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(tenant.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


@carrier_route
def ussd(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Fields: sessionId, phoneNumber, networkCode, serviceCode, text."""
    try:
        form = form_of(request)
        reply = _too_often(tenant, form.get("phoneNumber", "")) or engine.turn(
            tenant=tenant,
            session_id=form.get("sessionId", ""),
            phone=form.get("phoneNumber", ""),
            text=form.get("text", ""),
        )
    except Exception as error:
        # Anything but CON or END shows her the carrier's own error.
        if not isinstance(error, BadForm):
            log.exception("ussd.route_failed")
        language = texts.language_of(tenant.default_language)
        reply = "END " + texts.screen("trouble", language)
    return plain(reply)


def _too_often(tenant: Tenant, phone: str) -> str:
    """What she reads when this number, or the tenant as a whole, dials too often: in her
    language, or in the tenant's when there is no time to look. Empty: go on."""
    number = "".join(filter(str.isdigit, phone))[:20]
    language = tenant.default_language
    if not take("ussd_phone", f"{tenant.pk}:{number}", settings.RATES["ussd_phone"]):
        known = Workshop.objects.filter(phone=f"+{number}")
        language = known.values_list("language", flat=True).first() or language
    elif take("ussd", str(tenant.pk), settings.RATES["ussd"]):
        return ""
    log.warning("ussd.limited")
    return "END " + texts.screen("busy", texts.language_of(language))


@carrier_route
def sms_inbound(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Fields: from, to, text, id, date, linkId, networkCode, cost. The carrier repeats
    the call until it gets 200, so a form that can never be stored is answered 400 only
    when its sender is missing."""
    tried = take("sms", str(tenant.pk), settings.RATES["sms"])
    if not tried:
        return _later("Too many messages; please repeat this one.", 503, tried)
    try:
        form = form_of(request)
    except BadForm as error:
        return plain(str(error), error.status)
    if not form.get("from", "").strip():
        return plain("The field 'from' is missing.", 400)
    take_inbound(
        tenant=tenant,
        provider_id=form.get("id", ""),
        sender=form["from"],
        text=form.get("text", ""),
        date=form.get("date", ""),
        network_code=form.get("networkCode", ""),
    )
    return plain("OK")


@carrier_route
def sms_delivery(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Fields: id, status, phoneNumber, networkCode, failureReason, retryCount."""
    try:
        form = form_of(request)
    except BadForm as error:
        log.warning("sms.bad_report", problem=str(error))
        return plain("OK")
    if form.get("id", "").strip():
        take_report(
            tenant=tenant,
            provider_id=form["id"],
            status=form.get("status", ""),
            phone=form.get("phoneNumber", ""),
            network_code=form.get("networkCode", ""),
            failure=form.get("failureReason", ""),
        )
    return plain("OK")
