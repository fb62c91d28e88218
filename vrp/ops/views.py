"""Is it alive, can it work, and how is it doing."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from vrp.ops.health import readiness
from vrp.ops.metrics import registry


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every part works, 503 with the part that does not."""
    report = readiness()
    return JsonResponse(
        {
            "status": "ready" if report.ready else "not ready",
            "parts": report.parts,
            "oldest_due_seconds": report.oldest_due_seconds,
        },
        status=200 if report.ready else 503,
    )


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, measured from the database at the moment of the scrape.

    It names the tenants and how they fare, so it is for monitoring only: with
    ``VRP_METRICS_TOKEN`` for who sends it as a bearer token, without it for processes of
    this machine that ask directly. 403 for everybody else.
    """
    if not _is_monitoring(request):
        return HttpResponse("For monitoring only.\n", "text/plain", status=403)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _is_monitoring(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    if token:
        given = request.headers.get("Authorization", "")
        return constant_time_compare(given, f"Bearer {token}")
    # Behind a proxy on this machine everybody would come from it.
    forwarded = {"X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-Ip"}
    near = request.META.get("REMOTE_ADDR", "") in ("127.0.0.1", "::1")
    return near and not any(name in request.headers for name in forwarded)


def handset(request: HttpRequest) -> HttpResponse:
    """The feature phone on screen is the stand-in's; only there in embedded mode."""
    if not settings.EMBEDDED:
        raise Http404
    return redirect(f"{settings.STANDIN_URL}/handset/")


def root(request: HttpRequest) -> HttpResponse:
    """People who type the bare address want the console."""
    return redirect("/ops/")
