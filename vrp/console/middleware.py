"""Typed errors of services, raised in a console view, become a page that explains."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from vrp.errors import DomainError

PAGES = {403: "403.html", 404: "404.html"}


class DomainErrorMiddleware:
    """Render what happened and what to do next, with the error's own HTTP status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        if not isinstance(error, DomainError) or not request.path.startswith("/ops/"):
            return None
        context = {"message": error.message, "code": error.code}
        page = PAGES.get(error.status, "409.html")
        return render(request, page, context, status=error.status)
