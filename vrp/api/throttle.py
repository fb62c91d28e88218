"""Rate limit per API key (``vrp.rates``); without Redis requests pass."""

from typing import Any

from django.conf import settings
from rest_framework.throttling import BaseThrottle

from vrp.rates import take


class KeyThrottle(BaseThrottle):
    """So many requests a key in any minute (setting ``VRP_API_RATE``).

    What is left is noted on Django's request; the view puts it in the answer's headers.
    """

    def __init__(self) -> None:
        self._wait: int | None = None

    def allow_request(self, request: Any, view: Any) -> bool:
        if request.auth is None:
            return True
        key = request.auth
        taken = take("api", f"{key.tenant_id}:{key.pk}", settings.RATES["api"])
        request._request.rate_taken = taken
        self._wait = taken.wait_seconds
        return taken.granted

    def wait(self) -> float | None:
        """Seconds until it may be tried again, for ``Retry-After``."""
        return self._wait
