"""Every request gets an id and one log line; every answer the security headers."""

import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger("vrp.request")
QUIET = ("/healthz", "/readyz", "/metrics", "/static/")
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)

# The camera reads QR codes of deliveries; nothing else of a device is asked for.
FEATURES = (
    "camera=(self), geolocation=(), microphone=(), payment=(), usb=(), "
    "browsing-topics=()"
)


class RequestLogMiddleware:
    """Bind ``request_id`` for all log lines of the request; log method, path, status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        given = request.headers.get("X-Request-Id", "")
        well_formed = given.replace("-", "").isalnum() and len(given) <= 64
        request_id = given if well_formed else uuid.uuid4().hex
        structlog.contextvars.bind_contextvars(request_id=request_id)
        request.request_id = request_id  # type: ignore[attr-defined]  # error pages
        began = time.perf_counter()
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        if not request.path.startswith(QUIET):
            log.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round((time.perf_counter() - began) * 1000),
            )
        return response


class SecurityHeadersMiddleware:
    """A strict content security policy; pages with people's data are never cached."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", POLICY)
        response.setdefault("Permissions-Policy", FEATURES)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if request.path.startswith("/ops/"):
            response.setdefault("Cache-Control", "no-store")
        return response
