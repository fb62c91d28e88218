"""One access token per tenant, shared by all workers.

A new token ends the one before it at the wallet, so workers must not mint side by side:
the token is kept in Redis (encrypted), and whoever finds none mints under a lock. When
Redis is away every call mints its own; that is slow and may need a second try, but it
works.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis
import structlog
from django.conf import settings
from redis.exceptions import LockError, RedisError

from payments.models import WalletCredential
from vrp.secrets import open_text, seal_text

log = structlog.get_logger(__name__)
# Daraja's tokens live an hour; we stop using one a minute before its end.
MARGIN_SECONDS = 60
# Longer than minting can take, so that the lock never ends under its holder.
LOCK_SECONDS = 30
# Waiting longer for another worker's token is not worth it: mint one's own.
WAIT_SECONDS = 15


class TokenError(Exception):
    """No token could be had. ``is_ours``: the wallet refuses our key."""

    def __init__(self, words: str, *, is_ours: bool = False) -> None:
        super().__init__(words)
        self.is_ours = is_ours


class TokenStore:
    """The shared token of one credential. ``fetch`` mints: (token, life in seconds)."""

    def __init__(
        self, credential: WalletCredential, fetch: Callable[[], tuple[str, int]]
    ) -> None:
        account = hashlib.sha256(credential.consumer_key.encode()).hexdigest()[:16]
        self.key = f"vrp:wallet-token:{credential.tenant_id}:{account}"
        self.fetch = fetch

    def get(self) -> str:
        """A token that should be good. Raises ``TokenError``."""
        return self._get(refused="")

    def replace(self, refused: str) -> str:
        """Another token than the refused one: minted once, whoever asks first."""
        return self._get(refused=refused)

    def _get(self, *, refused: str) -> str:
        try:
            with _redis() as client:
                token = self._stored(client)
                if token and token != refused:
                    return token
                lock = client.lock(
                    f"{self.key}:lock",
                    timeout=LOCK_SECONDS,
                    blocking_timeout=WAIT_SECONDS,
                )
                with lock:
                    token = self._stored(client)
                    if token and token != refused:
                        return token
                    token, life = self.fetch()
                    keep = max(1, life - MARGIN_SECONDS)
                    client.set(self.key, seal_text(token), ex=keep)
                    return token
        except (RedisError, LockError) as error:
            log.warning("wallet.token_without_redis", error=type(error).__name__)
            return self.fetch()[0]

    def _stored(self, client: redis.Redis) -> str:
        sealed = client.get(self.key)
        try:
            return open_text(sealed.decode()) if isinstance(sealed, bytes) else ""
        except ValueError:
            return ""


@contextmanager
def _redis() -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=2
    )
    try:
        yield client
    finally:
        client.close()
