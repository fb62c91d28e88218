"""Rate limit per API key, counted in Redis; without Redis requests pass."""

from typing import Any

from redis.exceptions import RedisError
from rest_framework.throttling import SimpleRateThrottle


class KeyThrottle(SimpleRateThrottle):
    """So many requests a minute per key (setting ``VRP_API_RATE``)."""

    scope = "key"

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        return f"throttle:{request.auth.pk}" if request.auth else None

    def allow_request(self, request: Any, view: Any) -> bool:
        try:
            return super().allow_request(request, view)
        except RedisError:
            # Redis may be away at any moment; orders must still come in.
            return True
