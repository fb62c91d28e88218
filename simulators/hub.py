"""What every part of the stand-ins shares: state, tenants, faults, outgoing calls."""

import asyncio
import json
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from simulators.directory import Directory
from simulators.faults import Faults
from simulators.state import State

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """How fast things happen. All times are in seconds."""

    data: Path
    web: str
    report_delay: float = 0.3  # from one delivery report to the next
    result_delay: float = 0.4  # from accepting a payment to its result
    inbound_retry: float = 5.0  # Africa's Talking: 60
    inbound_tries: int = 720  # Africa's Talking: 720, that is 12 hours
    token_life: int = 3599
    ussd_timeout: float = 10.0
    ussd_session: float = 180.0
    ussd_silence: float = 90.0  # Safaricom 30, Airtel 60; kinder to a first-time user


class Hub:
    """The one object that the handlers are built on."""

    def __init__(self, settings: Settings, state: State) -> None:
        self.settings = settings
        self.state = state
        self.faults = Faults()
        self.directory = Directory(state, settings.data / "demo.json", settings.web)
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        # A fresh connection per call: the product may close an idle one at the very
        # moment a callback is written to it, and callbacks are not repeated.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=32, force_close=True),
            timeout=aiohttp.ClientTimeout(total=15),
            trust_env=False,
        )

    async def close(self) -> None:
        await self.cancel_all()
        if self._session is not None:
            await self._session.close()

    async def call(
        self,
        url: str,
        *,
        form: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        timeout: float = 15,
    ) -> tuple[int, str]:
        """POST a form or JSON to the product: (status, text); (0, reason) if it fails.

        The path is never logged: it holds the tenant's secret.
        """
        assert self._session is not None
        data: Any = form if form is not None else json.dumps(body).encode()
        headers = {} if form is not None else {"Content-Type": "application/json"}
        try:
            async with self._session.post(
                url,
                data=data,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as answer:
                return answer.status, await answer.text(errors="replace")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.info("callback not delivered: %s", type(error).__name__)
            return 0, type(error).__name__

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run something in the background until it ends or everything is reset."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("background work failed", exc_info=task.exception())

    async def cancel_all(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


HUB = web.AppKey("hub", Hub)


def plain_json(body: Any, status: int = 200) -> web.Response:
    """Answer compact JSON whose Content-Type carries no charset.

    The Africa's Talking SDK compares that header exactly.
    """
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return web.Response(body=text, status=status, content_type="application/json")


def cut(request: web.Request) -> web.Response:
    """Drop the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def never(request: web.Request, seconds: float) -> web.Response:
    """Keep the caller waiting, then drop the connection."""
    await asyncio.sleep(seconds)
    return cut(request)


async def read_object(request: web.Request) -> dict[str, Any]:
    """Return the JSON object in the body; raises HTTPBadRequest with a reason."""
    try:
        body = await request.json()
    except (ValueError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(
            text=json.dumps({"error": "the body must be a JSON object"}),
            content_type="application/json",
        )
    return body
