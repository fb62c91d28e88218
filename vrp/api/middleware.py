"""A refused method has the one error shape as well, wherever it is refused."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from vrp.api.errors import FRAMEWORK, body


class MethodShapeMiddleware:
    """Give Django's bare 405 answers a body, outside the pages for people."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or request.path.startswith("/ops/"):
            return response
        if response.get("Content-Type", "").startswith("application/json"):
            return response
        allow = {"Allow": response["Allow"]} if "Allow" in response else {}
        return JsonResponse(body(*FRAMEWORK[405]), status=405, headers=allow)
