"""How often somebody may do something: one sliding window for API, phones and sign-in.

``take("api", key, rate)`` spends one of what ``rate`` allows and says how much is left.
In no stretch of ``rate.seconds``, wherever it begins, is more than ``rate.limit`` granted.

Kept in Redis by one script, so that parallel callers on many machines cannot slip past
each other; the time is that of Redis, so that their clocks need not agree. Each window is
counted in twenty slots, the oldest one wholly for as long as a part of it is inside:
bounded memory (21 numbers, whatever the limit) for a wait that may be a twentieth long.

Redis may be away or wiped at any moment. Then everything is let through: nobody loses an
order or an SMS because a counter was restarted. How often that happened is counted
(``vrp_rate_unchecked_total``), as is what was refused (``vrp_rate_limited_total``).
"""

import hashlib
import hmac
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = structlog.get_logger(__name__)
SLOTS = 20
# After a failure Redis is not asked again for so long: a server that hangs must not make
# each request wait for it.
REST_SECONDS = 3.0
PERIODS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hour": 3600, "day": 86_400}
SHAPE = re.compile(r"([1-9][0-9]{0,6})/([1-9][0-9]{0,3})?(s|sec|min|h|hour|day)")
LIMITED, UNCHECKED = "vrp:rate:limited", "vrp:rate:unchecked"

# KEYS: the window, the counters of refusals. ARGV: limit, milliseconds, cost, slots,
# scope, now in milliseconds or "". Answers {granted, left, milliseconds to wait}.
SCRIPT = """
local limit, length, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local width = length / tonumber(ARGV[4])
local now = tonumber(ARGV[6])
if not now then
  local clock = redis.call('TIME')
  now = clock[1] * 1000 + math.floor(clock[2] / 1000)
end
local oldest = math.floor((now - length) / width)
local slots, used = {}, 0
local found = redis.call('HGETALL', KEYS[1])
for i = 1, #found, 2 do
  local slot, count = tonumber(found[i]), tonumber(found[i + 1])
  if slot < oldest then
    redis.call('HDEL', KEYS[1], found[i])
  else
    used = used + count
    slots[#slots + 1] = {slot, count}
  end
end
if used + cost <= limit then
  if cost > 0 then
    redis.call('HINCRBY', KEYS[1], string.format('%.0f', math.floor(now / width)), cost)
    redis.call('PEXPIRE', KEYS[1], math.ceil(length + 2 * width))
  end
  return {1, limit - used - cost, 0}
end
redis.call('HINCRBY', KEYS[2], ARGV[5], 1)
table.sort(slots, function(a, b) return a[1] < b[1] end)
local wait, free = length, limit - used
for _, one in ipairs(slots) do
  free = free + one[2]
  if free >= cost then
    wait = (one[1] + 1) * width + length - now
    break
  end
end
return {0, math.max(0, limit - used), math.max(1, math.ceil(wait))}
"""


@dataclass(frozen=True)
class Rate:
    """So many in so many seconds."""

    limit: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """``600/min``, ``5/15min``, ``100/h``, ``20/s``, ``1000/day``.

        Raises ValueError for anything else.
        """
        match = SHAPE.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a rate such as 600/min or 5/15min.")
        return cls(int(match[1]), int(match[2] or 1) * PERIODS[match[3]])

    def __str__(self) -> str:
        return f"{self.limit}/{self.seconds}s"


@dataclass(frozen=True)
class Taken:
    """What came of it. ``wait_seconds`` is 0 if granted, else at least 1."""

    granted: bool
    rate: Rate
    left: int
    wait_seconds: int

    def __bool__(self) -> bool:
        return self.granted

    @property
    def headers(self) -> dict[str, str]:
        """``RateLimit-*`` for the answer, and ``Retry-After`` if it was refused."""
        found = {
            "RateLimit-Limit": str(self.rate.limit),
            "RateLimit-Remaining": str(self.left),
            "RateLimit-Reset": str(self.wait_seconds or self.rate.seconds),
            "RateLimit-Policy": f"{self.rate.limit};w={self.rate.seconds}",
        }
        if not self.granted:
            found["Retry-After"] = str(self.wait_seconds)
        return found


def take(
    scope: str, who: str, rate: Rate, *, cost: int = 1, now: float | None = None
) -> Taken:
    """Spend ``cost`` of what ``who`` may do in ``scope``; nothing is spent if refused.

    ``cost=0`` only looks: granted means that one more would be. ``now`` (Unix seconds)
    replaces the clock of Redis. With Redis away everything is granted, and counted.
    """
    looking = cost == 0
    digest = hmac.new(settings.SECRET_KEY.encode(), who.encode(), hashlib.sha256)
    arguments: list[str | int] = [
        rate.limit - looking,
        rate.seconds * 1000,
        cost,
        SLOTS,
        scope,
        "" if now is None else round(now * 1000),
    ]
    if _resting():
        return _unchecked(scope, rate)
    try:
        # Numbers and addresses of people are not left lying about in Redis.
        key = f"vrp:rate:{scope}:{digest.hexdigest()[:32]}"
        answer = _script(settings.REDIS_URL)(keys=[key, LIMITED], args=arguments)
        _hand_in()
    except (RedisError, OSError) as error:
        _rest(error)
        return _unchecked(scope, rate)
    granted, left, wait = (int(part) for part in answer)
    return Taken(bool(granted), rate, left + looking * granted, -(-wait // 1000))


def forget(scope: str, who: str) -> None:
    """Begin anew for ``who``. Without Redis nothing happens."""
    digest = hmac.new(settings.SECRET_KEY.encode(), who.encode(), hashlib.sha256)
    try:
        client_of(settings.REDIS_URL).delete(
            f"vrp:rate:{scope}:{digest.hexdigest()[:32]}"
        )
    except (RedisError, OSError) as error:
        _rest(error)


def address_of(request: HttpRequest) -> str:
    """Who calls, for limits by address: IPv4, or the /64 network of an IPv6 address.

    Behind ``VRP_TRUSTED_PROXIES`` proxies it is the address that the outermost of them
    saw; what stands further left in X-Forwarded-For could be anybody's invention.
    """
    found = request.META.get("REMOTE_ADDR", "")
    depth = settings.TRUSTED_PROXIES
    if depth:
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(hops) >= depth and hops[-depth].strip():
            found = hops[-depth].strip()
    try:
        ip = ip_address(found.partition("%")[0])
    except ValueError:
        return found[:64]
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return f"{IPv6Address(int(ip) >> 64 << 64)}/64"
    return str(ip)


# -- Redis, and what happens without it ------------------------------------------------


@lru_cache(maxsize=4)
def client_of(url: str) -> "redis.Redis":
    """One pool of connections per process; short waits, one new try at once (an idle
    connection may have been cut)."""
    return redis.Redis.from_url(
        url,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 1),
        retry_on_error=[redis.exceptions.ConnectionError],
    )


@lru_cache(maxsize=4)
def _script(url: str) -> "redis.commands.core.Script":
    return client_of(url).register_script(SCRIPT)


_lock = threading.Lock()
_pending: Counter[str] = Counter()
_until: dict[str, float] = {}


def _resting() -> bool:
    return time.monotonic() < _until.get(settings.REDIS_URL, 0.0)


def _rest(error: Exception) -> None:
    _until[settings.REDIS_URL] = time.monotonic() + REST_SECONDS
    log.warning("rates.redis_away", error=type(error).__name__)


def _unchecked(scope: str, rate: Rate) -> Taken:
    with _lock:
        _pending[scope] += 1
    return Taken(True, rate, rate.limit, 0)


def _hand_in() -> None:
    """Tell Redis, which all processes share, what this one let through without it."""
    if not _pending:
        return
    with _lock:
        counted = dict(_pending)
        _pending.clear()
    try:
        with client_of(settings.REDIS_URL).pipeline(transaction=True) as batch:
            for scope, count in counted.items():
                batch.hincrby(UNCHECKED, scope, count)
            batch.execute()
    except (RedisError, OSError):
        with _lock:
            _pending.update(counted)
        raise


def totals() -> tuple[dict[str, int], dict[str, int]]:
    """(refused, let through unchecked) by scope since Redis was last wiped; what this
    process could not hand in yet is in it."""
    refused: dict[str, int] = {}
    unchecked: Counter[str] = Counter(_pending)
    try:
        refused = _counts(LIMITED)
        unchecked.update(_counts(UNCHECKED))
    except (RedisError, OSError) as error:
        _rest(error)
    return refused, dict(unchecked)


def _counts(name: str) -> dict[str, int]:
    found = client_of(settings.REDIS_URL).hgetall(name)
    return {
        key.decode() if isinstance(key, bytes) else key: int(value)
        for key, value in found.items()
    }
