"""Put the parts together: the journal, the state and every route."""

import fcntl
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from aiohttp import web

from simulators import callbacks, carrier, handset, looking, ussd, wallet
from simulators import wallet_results as results
from simulators.credential import Vault
from simulators.hub import HUB, Hub, Settings, plain_json
from simulators.journal import Journal
from simulators.state import State

log = logging.getLogger(__name__)


class Busy(RuntimeError):
    """Another process already keeps this data folder."""


def _lock(folder: Path) -> int:
    """Hold the folder for this process; the system lets go of it at any death."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise Busy(f"stand-ins already run on {folder}") from error
    return handle


@web.middleware
async def _same_site_only(
    request: web.Request,
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    """Refuse posts that a page of another site makes a visitor's browser send."""
    cross = request.headers.get("Sec-Fetch-Site") == "cross-site"
    if cross and request.method == "POST":
        return plain_json({"error": "posts from another site are refused"}, 403)
    return await handler(request)


async def _run_background(app: web.Application) -> AsyncIterator[None]:
    hub = app[HUB]
    await hub.open()
    callbacks.resume(hub)
    results.resume(hub)
    yield
    await hub.close()
    hub.state.journal.close()


def make_app(settings: Settings) -> web.Application:
    """Build the application over ``settings.data``; raises OSError or Busy."""
    folder = settings.data / "standin"
    folder.mkdir(parents=True, exist_ok=True)
    lock = _lock(folder)
    state = State(Journal(folder / "journal.jsonl"))
    app = web.Application(middlewares=[_same_site_only], client_max_size=4 * 2**20)
    app[HUB] = Hub(settings, state)
    app[wallet.VAULT] = Vault(folder)
    app[wallet.TOKENS] = wallet.Tokens()
    app[ussd.SESSIONS] = ussd.Sessions()
    for part in (carrier, ussd, wallet, looking, handset):
        app.add_routes(part.routes)
    app.on_response_prepare.append(handset.add_headers)
    app.cleanup_ctx.append(_run_background)

    async def unlock(app: web.Application) -> None:
        os.close(lock)

    app.on_cleanup.append(unlock)
    return app
