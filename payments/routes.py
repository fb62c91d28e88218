"""The wallet operator's callbacks: unsigned, so the address itself is the secret.

The secret names its tenant (``<tenant pk>-<40 hex digits>``), because its row can only be
read inside that tenant's scope. Anything else is 404. What comes in on a tenant's address
can only ever touch that tenant's rows.

There is no rate limit on a right address: a result that is refused is never sent again,
and then nobody knows whether an artisan was paid. They are few (one for each payout and
question), small, and come from an address that only the operator was told. Wrong
addresses are limited by where they come from.
"""

import hmac
import re
from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from payments.models import WalletCallback, WalletCredential
from payments.services.results import take_result, take_timeout
from vrp import rates
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

SECRET = re.compile(r"([1-9][0-9]{0,17})-[0-9a-f]{40}")
# A result is under 2 KiB.
LONGEST_BODY = 16 * 1024
TOO_LONG = {"ResultCode": 1, "ResultDesc": "The body is too long."}
TOO_OFTEN = {"ResultCode": 1, "ResultDesc": "Too many wrong addresses."}
UNREADABLE = {"ResultCode": 1, "ResultDesc": "The body is not a JSON object."}
TAKEN = {"ResultCode": 0, "ResultDesc": "Accepted"}


def tenant_of(secret: str) -> Tenant:
    """The tenant whose wallet address this is, or was until lately; 404 for anything
    else."""
    match = SECRET.fullmatch(secret)
    tenant = (
        Tenant.objects.filter(pk=match[1], is_active=True).first() if match else None
    )
    if tenant is None:
        raise Http404
    with tenant_scope(tenant):
        credential = WalletCredential.objects.filter(tenant=tenant).first()
    if credential is None or not _is_address_of(credential, secret):
        raise Http404
    return tenant


def _is_address_of(credential: WalletCredential, secret: str) -> bool:
    until = credential.old_route_until
    holds = until is not None and until > timezone.now()
    now = credential.route_secret
    old = credential.old_route_secret if holds else now
    # Both are looked at, whatever the first one says.
    return hmac.compare_digest(now, secret) | hmac.compare_digest(old, secret)


def _answer(
    request: HttpRequest, secret: str, take: Callable[..., WalletCallback]
) -> JsonResponse:
    try:
        tenant = tenant_of(secret)
    except Http404:
        limit = settings.RATES["guess"]
        tried = rates.take("guess", rates.address_of(request), limit)
        if tried:
            raise
        wait = {"Retry-After": str(tried.wait_seconds)}
        return JsonResponse(TOO_OFTEN, status=429, headers=wait)
    try:
        body = request.read(LONGEST_BODY + 1)
    except OSError:  # it broke off
        return JsonResponse(UNREADABLE, status=400)
    if len(body) > LONGEST_BODY:
        return JsonResponse(TOO_LONG, status=413)
    with tenant_scope(tenant):
        row = take(tenant=tenant, body=body)
    if row.effect == "unreadable":
        return JsonResponse(UNREADABLE, status=400)
    return JsonResponse(TAKEN)


@csrf_exempt
@require_POST
def result(request: HttpRequest, secret: str) -> JsonResponse:
    """ResultURL: JSON; answers 200 with ResultCode 0 once the body is stored."""
    return _answer(request, secret, take_result)


@csrf_exempt
@require_POST
def timeout(request: HttpRequest, secret: str) -> JsonResponse:
    """QueueTimeOutURL: the echoed request; answered likewise."""
    return _answer(request, secret, take_timeout)


urlpatterns = [
    path("<str:secret>/result", result),
    path("<str:secret>/timeout", timeout),
]
