"""What every console page needs: navigation, roles, and whether stand-ins are in use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from vrp.console.nav import navigation


def console(request: HttpRequest) -> dict[str, Any]:
    """Template context of the pages under ``/ops/``."""
    grant = getattr(request, "grant", None)
    return {
        "embedded": settings.EMBEDDED,
        "nav": navigation(request) if getattr(request, "tenant", None) else [],
        "roles": [role.label for role in sorted(grant.roles)] if grant else [],
    }
