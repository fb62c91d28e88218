"""The base of every API view: it runs and renders in the scope of the key's tenant."""

import zoneinfo
from contextlib import ExitStack
from typing import Any

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from vrp.api.parsers import StrictJSONParser
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope


def zone_of(tenant: Tenant) -> zoneinfo.ZoneInfo:
    """The tenant's time zone; UTC if the name is not known on this machine."""
    try:
        return zoneinfo.ZoneInfo(tenant.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


class OnlyJSON(BaseContentNegotiation):
    """We answer in JSON whatever ``Accept`` says, and read JSON only (415 otherwise)."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        media = (request.content_type or "").partition(";")[0].strip().lower()
        return next((one for one in parsers if one.media_type == media), None)

    def select_renderer(
        self, request: Any, renderers: Any, format_suffix: Any = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


class TenantView(APIView):
    """Enters the scope and the time zone of ``request.auth.tenant`` as soon as the key is
    known, and leaves them only after the answer is rendered: a lazy query in a
    serializer or an exception handler is still inside."""

    content_negotiation_class = OnlyJSON
    parser_classes = [StrictJSONParser]

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        with ExitStack() as self._stack:
            response = super().dispatch(request, *args, **kwargs)
            if isinstance(response, Response):
                response.render()
            taken = getattr(request, "rate_taken", None)
            if taken is not None:
                for name, value in taken.headers.items():
                    response.headers.setdefault(name, value)
            # What one key sees is no business of a shared cache.
            response.headers.setdefault("Cache-Control", "no-store")
            return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
            # WSGI gives us such a body as an empty one; better said than guessed.
            raise ParseError("Send Content-Length; a chunked body is not read.")

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        key: Any = request.auth
        if key is None:
            return
        tenant = key.tenant
        self._stack.enter_context(tenant_scope(tenant))
        # "Today" and "in the past" are the brand's, whose people do the work.
        self._stack.enter_context(timezone.override(zone_of(tenant)))
        structlog.contextvars.bind_contextvars(actor=f"key:{key.pk}")

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """What may be done here, in the ``Allow`` header."""
        return Response(status=204)
