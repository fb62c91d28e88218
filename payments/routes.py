"""The wallet operator's callbacks: unsigned, so the address itself is the secret.

The secret names its tenant (``<tenant pk>-<40 hex digits>``), because its row can only be
read inside that tenant's scope. Anything else is 404. What comes in on a tenant's address
can only ever touch that tenant's rows.
"""

import hmac
import re
from collections.abc import Callable

from django.http import Http404, HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from payments.models import WalletCallback, WalletCredential
from payments.services.results import take_result, take_timeout
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

SECRET = re.compile(r"([1-9][0-9]{0,17})-[0-9a-f]{40}")
# A result is under 2 KiB.
LONGEST_BODY = 16 * 1024
TOO_LONG = {"ResultCode": 1, "ResultDesc": "The body is too long."}
UNREADABLE = {"ResultCode": 1, "ResultDesc": "The body is not a JSON object."}
TAKEN = {"ResultCode": 0, "ResultDesc": "Accepted"}


def tenant_of(secret: str) -> Tenant:
    """The tenant whose wallet address this is; 404 for anything else."""
    match = SECRET.fullmatch(secret)
    tenant = (
        Tenant.objects.filter(pk=match[1], is_active=True).first() if match else None
    )
    if tenant is None:
        raise Http404
    with tenant_scope(tenant):
        credential = WalletCredential.objects.filter(tenant=tenant).first()
    if credential is None or not hmac.compare_digest(credential.route_secret, secret):
        raise Http404
    return tenant


def _answer(
    request: HttpRequest, secret: str, take: Callable[..., WalletCallback]
) -> JsonResponse:
    tenant = tenant_of(secret)
    body = request.read(LONGEST_BODY + 1)
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
