"""The measure that the API is held against: a Django view with one indexed query.

``bench.bare:application`` is what gunicorn serves while the API is measured: the product
as it is, and beside it, under ``/bare``, a view without middleware. Both run in the same
processes, on the same connection to the same database.
"""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, JsonResponse
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vrp.settings")
django.setup()

from vrp.tenancy.models import Tenant  # noqa: E402  # needs Django set up
from vrp.wsgi import application as product  # noqa: E402

PREFIX = "/bare"


def bare(request: HttpRequest, slug: str) -> JsonResponse:
    """One row by its unique index, as JSON."""
    row = Tenant.objects.values("id", "name", "currency").get(slug=slug)
    answer = JsonResponse(row)
    # As CommonMiddleware would: without it the answer is chunked.
    answer["Content-Length"] = str(len(answer.content))
    return answer


urlpatterns = [path("bare/<slug:slug>", bare)]


class BareRequest(WSGIRequest):
    """A request that is routed by this module."""

    urlconf = "bench.bare"


class BareHandler(WSGIHandler):
    """Django without any middleware."""

    request_class = BareRequest

    def load_middleware(self, is_async: bool = False) -> None:
        with_all, settings.MIDDLEWARE = settings.MIDDLEWARE, []
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = with_all


plain = BareHandler()


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """Route between the two."""
    if environ["PATH_INFO"].startswith(PREFIX):
        return plain(environ, start_response)
    return product(environ, start_response)
