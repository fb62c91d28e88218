"""The one error shape of the API, for every 4xx and 5xx, inside and outside of views.

``{"error": {"code", "message", "details": [{"field", "message"}], "request_id"}}``.
``code`` is stable and documented; ``message`` is a sentence for a person.
"""

import sys
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from vrp.errors import DomainError, Mistakes

log = structlog.get_logger(__name__)

# Code and sentence of the framework's own errors.
FRAMEWORK = {
    400: ("malformed", "The request could not be read."),
    401: ("unauthenticated", "Send a valid key: Authorization: Bearer <key>."),
    403: ("not_allowed", "This key may not do that."),
    404: ("not_found", "There is nothing here under that id."),
    405: ("method_not_allowed", "This method is not offered here."),
    413: ("too_large", "The body is larger than this address takes."),
    415: ("unsupported_media_type", "Send application/json."),
    429: ("rate_limited", "Too many requests. Retry after the seconds given."),
    500: ("server_error", "Something broke on our side. Nothing was lost; try again."),
    503: ("unavailable", "The database is away for a moment. Try again."),
}
# Every code a client can meet: status, and what to do. Shown in the OpenAPI file and the
# docs page; a test compares it with what the code raises and with docs/api.md.
CODES: dict[str, tuple[int, str]] = {
    "malformed": (400, "Not JSON in UTF-8, or a header or cursor that cannot be read."),
    "idempotency_key_required": (400, "Send Idempotency-Key: 1 to 255 visible ASCII."),
    "unauthenticated": (401, "The key is missing, unknown, expired or revoked."),
    "not_allowed": (403, "This key may not do that."),
    "insufficient_scope": (
        403,
        "The key lacks a scope; the message and WWW-Authenticate name it.",
    ),
    "not_found": (404, "No such thing, or it is not yours."),
    "method_not_allowed": (405, "See the Allow header for the methods offered."),
    "conflict": (409, "It clashes with something that exists. Read it, then decide."),
    "duplicate_po": (409, "You used this PO number; the message names that order."),
    "idempotency_in_progress": (
        409,
        "The first request with this key still runs. Repeat after Retry-After seconds.",
    ),
    "illegal_move": (409, "It is in a state from which this cannot be done."),
    "too_large": (413, "The body is over the size limit. Split the order."),
    "unsupported_media_type": (415, "Send Content-Type: application/json."),
    "idempotency_mismatch": (
        422,
        "This key was used with another body. Use a new key for a new request.",
    ),
    "invalid": (422, "details names each field that is not acceptable, and why."),
    "limit_reached": (422, "You have as many of these as one buyer may have."),
    "rate_limited": (429, "Too many requests. Repeat after Retry-After seconds."),
    "server_error": (500, "Our fault, and logged under request_id. Repeat it."),
    "unavailable": (503, "A part is away. Repeat after Retry-After seconds."),
}
# Longest piece of the client's own text that an error repeats.
ECHO = 200
RETRY_SECONDS = 5


def clean(text: str) -> str:
    """Text that any JSON reader takes: no lone surrogates, no NUL, not endless."""
    safe = text.encode("utf-8", "replace").decode().replace("\0", "?")
    return safe if len(safe) <= ECHO * 2 else f"{safe[:ECHO]}…"


def body(
    code: str, message: str, details: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """The error body, with the id under which our log knows the request."""
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    return {
        "error": {
            "code": code,
            "message": clean(message),
            "details": [
                {"field": clean(row["field"]), "message": clean(row["message"])}
                for row in details or []
            ],
            "request_id": request_id,
        }
    }


def flatten(detail: Any, path: str = "") -> list[dict[str, str]]:
    """DRF's nested error detail as a flat list of field paths (``lines[0].sku``).

    A list serializer reports its bad rows as ``{index: errors}``, or as a list with an
    empty entry for each good row.
    """
    if isinstance(detail, dict):
        rows = []
        for key, value in detail.items():
            if key == "non_field_errors":
                inner = path
            elif isinstance(key, int):
                inner = f"{path}[{key}]"
            else:
                inner = f"{path}.{key}".lstrip(".")
            rows += flatten(value, inner)
        return rows
    if isinstance(detail, list):
        rows = []
        for index, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            rows += flatten(value, f"{path}[{index}]" if nested else path)
        return rows
    return [{"field": path, "message": str(detail)}]


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: our typed errors and DRF's own, in the one shape."""
    if isinstance(error, DomainError):
        return _domain(error)
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("api.database_away", error=str(error))
        code, message = FRAMEWORK[503]
        headers = {"Retry-After": str(RETRY_SECONDS)}
        return Response(body(code, message), status=503, headers=headers)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        response.status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
        response.data = body(
            "invalid", "Some fields are not acceptable.", flatten(error.detail)
        )
        return response
    code, message = FRAMEWORK.get(response.status_code, FRAMEWORK[400])
    details = []
    if isinstance(error, exceptions.ParseError):
        details = [{"field": "", "message": str(error.detail)}]
    response.data = body(code, message, details)
    return response


def _domain(error: DomainError) -> Response:
    set_rollback()
    told = error.found if isinstance(error, Mistakes) else [error]
    details = [
        {"field": one.field, "message": one.message} for one in told if one.field
    ]
    retry_after = getattr(error, "retry_after", None)
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    if scope := getattr(error, "scope", ""):
        # As RFC 6750 has it.
        headers["WWW-Authenticate"] = (
            f'Bearer error="insufficient_scope", scope="{scope}"'
        )
    return Response(
        body(error.code, error.message, details), status=error.status, headers=headers
    )


# Below these only other systems call, whatever they say that they accept.
SYSTEMS = ("/api/v1/", "/phone/", "/pay/", "/healthz", "/readyz", "/metrics")


def _is_read_by_a_person(request: HttpRequest) -> bool:
    """The console, or a browser at any address that is not for systems."""
    if request.path.startswith("/ops/"):
        return True
    accepts = request.META.get("HTTP_ACCEPT", "")
    return "text/html" in accepts and not request.path.startswith(SYSTEMS)


def _answer(request: HttpRequest, status_code: int, page: str = "") -> HttpResponse:
    code, message = FRAMEWORK[status_code]
    if not _is_read_by_a_person(request):
        return JsonResponse(body(code, message), status=status_code)
    # Without a request no context is made for the page: that would ask the database.
    drawn_for = None if status_code >= 500 else request
    return render(drawn_for, page or f"{status_code}.html", status=status_code)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 outside of views (a malformed host, too many fields), 413 for a huge body."""
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, 413)
    return _answer(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 outside of views."""
    return _answer(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A post without its token: a page for people, the one error shape for systems."""
    if _is_read_by_a_person(request):
        return render(request, "403_csrf.html", status=403)
    return _answer(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 for unknown routes and rows."""
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: what happened is in the log under the request id; 503 while the database is
    away, so that people, carriers and monitoring know that it is worth trying again."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        answer = _answer(request, 503)
        answer["Retry-After"] = str(RETRY_SECONDS)
        return answer
    return _answer(request, 500)
