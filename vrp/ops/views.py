"""Is it alive, can it work, and how is it doing."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
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
    """Prometheus text, measured from the database at the moment of the scrape."""
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def handset(request: HttpRequest) -> HttpResponse:
    """The feature phone on screen is the stand-in's; only there in embedded mode."""
    if not settings.EMBEDDED:
        raise Http404
    return redirect(f"{settings.STANDIN_URL}/handset/")


def root(request: HttpRequest) -> HttpResponse:
    """People who type the bare address want the console."""
    return redirect("/ops/")
