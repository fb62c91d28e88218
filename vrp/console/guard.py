"""Who may open a console page at all."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def member(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorator of a console view: signed in, and a member of at least one tenant."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if request.tenant is None:  # type: ignore[attr-defined]
            message = (
                "You are signed in but belong to no brand. Ask its admin for a role."
            )
            return render(request, "403.html", {"message": message}, status=403)
        return view(request, *args, **kwargs)

    guarded.console = True  # type: ignore[attr-defined]
    return guarded
