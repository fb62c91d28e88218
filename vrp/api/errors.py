"""The one error shape of the API, for every 4xx and 5xx, inside and outside of views.

``{"error": {"code", "message", "details": [{"field", "message"}], "request_id"}}``.
``code`` is stable and documented; ``message`` is a sentence for a person.
"""

from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from vrp.errors import DomainError

# Code and sentence of the framework's own errors.
FRAMEWORK = {
    400: ("malformed", "The request could not be read."),
    401: ("unauthenticated", "Send a valid key: Authorization: Bearer <key>."),
    403: ("not_allowed", "This key may not do that."),
    404: ("not_found", "There is nothing here under that id."),
    405: ("method_not_allowed", "This method is not offered here."),
    406: ("not_acceptable", "Only application/json is offered."),
    415: ("unsupported_media_type", "Send application/json."),
    429: ("rate_limited", "Too many requests. Retry after the seconds given."),
    500: ("server_error", "Something broke on our side. Nothing was lost; try again."),
}


def body(
    code: str, message: str, details: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """The error body, with the id under which our log knows the request."""
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    return {
        "error": {
            "code": code,
            "message": message,
            "details": details or [],
            "request_id": request_id,
        }
    }


def flatten(detail: Any, path: str = "") -> list[dict[str, str]]:
    """DRF's nested error detail as a flat list of field paths (``lines[0].sku``)."""
    if isinstance(detail, dict):
        rows = []
        for key, value in detail.items():
            inner = path if key == "non_field_errors" else f"{path}.{key}".lstrip(".")
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
        set_rollback()
        details = (
            [{"field": error.field, "message": error.message}] if error.field else []
        )
        return Response(body(error.code, error.message, details), status=error.status)
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


def _answer(request: HttpRequest, status_code: int) -> HttpResponse:
    code, message = FRAMEWORK[status_code]
    wants_json = not request.path.startswith("/ops/")
    if wants_json:
        return JsonResponse(body(code, message), status=status_code)
    return render(request, f"{status_code}.html", status=status_code)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 outside of views (a malformed host, too many fields)."""
    code, message = FRAMEWORK[400]
    return JsonResponse(body(code, message), status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 outside of views."""
    return _answer(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 for unknown routes and rows."""
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: what happened is in the log under the request id."""
    return _answer(request, 500)
