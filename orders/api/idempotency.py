"""The HTTP side of ``Idempotency-Key``."""

import hashlib
import json
import re
from collections.abc import Callable

from django.db import transaction
from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from orders.models import ApiKey
from orders.services.idempotency import (
    Claim,
    Stored,
    claim_key,
    release_key,
    store_answer,
)
from vrp.api.errors import handle
from vrp.errors import DomainError

KEY = re.compile(r"[\x21-\x7e]{1,255}")


class KeyRequired(DomainError):
    """The header is missing or cannot be a key. HTTP 400."""

    status = 400
    code = "idempotency_key_required"


def do_once(
    request: Request, api_key: ApiKey, work: Callable[[], Response]
) -> HttpResponse:
    """Run ``work`` under the request's ``Idempotency-Key``, or replay its answer.

    A body that cannot be read raises before the key is taken. Success and final refusals
    (4xx) are stored; 409, 429 and 5xx are not, since the same request may succeed later.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not KEY.fullmatch(key):
        raise KeyRequired(
            "Send the header Idempotency-Key: 1 to 255 visible ASCII characters.",
            field="Idempotency-Key",
        )
    taken = claim_key(api_key=api_key, key=key, fingerprint=_fingerprint(request))
    if isinstance(taken, Stored):
        return _answer(taken, {"Idempotency-Replayed": "true"})
    try:
        with transaction.atomic():
            response = work()
            stored = Stored(response.status_code, _render(response))
            store_answer(claim=taken, status=stored.status, text=stored.text)
        return _answer(stored)
    except Exception as error:
        return _refuse(error, taken)


def _refuse(error: Exception, taken: Claim) -> HttpResponse:
    """Store a final refusal; forget the key for anything that may pass later."""
    response = handle(error, {})
    status = response.status_code if response is not None else 500
    if response is None or status in (409, 429) or status >= 500:
        release_key(claim=taken)
        raise error
    stored = Stored(status, _render(response))
    store_answer(claim=taken, status=stored.status, text=stored.text)
    return _answer(stored)


def _fingerprint(request: Request) -> str:
    """The same for the same method, path and JSON value, whatever its spacing."""
    body = json.dumps(request.data, sort_keys=True, separators=(",", ":"))
    text = f"{request.method} {request.path}\n{body}"
    return hashlib.sha256(text.encode()).hexdigest()


def _render(response: Response) -> str:
    return JSONRenderer().render(response.data).decode()


def _answer(stored: Stored, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        stored.text,
        status=stored.status,
        content_type="application/json",
        headers=headers,
    )
