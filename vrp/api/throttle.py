"""Rate limit per API key, counted in Redis; without Redis requests pass."""

import math
import time
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_rate(rate: str) -> tuple[int, int]:
    """(requests, seconds) of a rate such as ``600/min``."""
    count, _, period = rate.partition("/")
    return int(count), SECONDS[period[:1]]


class KeyThrottle(BaseThrottle):
    """So many requests a window per key (setting ``VRP_API_RATE``).

    One INCR in Redis a request, so that parallel requests of one key cannot slip past
    each other. Windows are fixed: at their border a key may send up to twice its rate.
    """

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Any, view: Any) -> bool:
        if request.auth is None:
            return True
        limit, seconds = parse_rate(str(api_settings.DEFAULT_THROTTLE_RATES["key"]))
        now = time.time()
        window = int(now // seconds)
        key = f"throttle:{request.auth.pk}:{window}"
        try:
            cache.add(key, 0, timeout=seconds + 1)
            used = cache.incr(key)
        except (RedisError, OSError, ValueError):
            # Redis may be away or wiped at any moment; orders must still come in.
            return True
        if used <= limit:
            return True
        self._wait = math.ceil((window + 1) * seconds - now)
        return False

    def wait(self) -> float | None:
        """Seconds until the window ends, for ``Retry-After``."""
        return self._wait
