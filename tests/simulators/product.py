"""A tiny product for the stand-ins to call: it remembers every callback it gets."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


def menu(form: dict[str, str]) -> tuple[int, str]:
    """Answer USSD with a small menu, as a product might."""
    screens = {
        "": "CON Karibu W-017\n1 Kazi mpya (1)\n2 Kazi zangu\n3 Malipo\n0 Toka",
        "1": "CON 8841 HP-01 x100, KES 560 kila moja, mwisho 15 Mac.\n1 Kubali\n4 Kataa",
        "1*1": "END Asante. Kazi 8841: vipande 100, mwisho 15 Mac.",
    }
    return 200, screens.get(form["text"], "END Chaguo si sahihi.")


@dataclass
class Product:
    """What came in, and how to answer it. ``calls`` are (path, fields) in order."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    raw: list[tuple[str, str]] = field(default_factory=list)  # content type, body
    status: dict[str, list[int]] = field(default_factory=dict)  # next answers by path
    ussd: Callable[[dict[str, str]], tuple[int, str]] = menu
    url: str = ""

    def at(self, path: str) -> list[dict[str, Any]]:
        """Return what one path received, oldest first."""
        return [fields for name, fields in list(self.calls) if name == path]

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.text()
        fields: dict[str, Any]
        if request.content_type == "application/json":
            fields = await request.json()
        else:
            form = await request.post()
            fields = {key: str(value) for key, value in form.items()}
        self.raw.append((request.headers.get("Content-Type", ""), body))
        self.calls.append((request.path, fields))
        if request.path == "/ussd":
            code, text = self.ussd(fields)
            return web.Response(status=code, text=text)
        queue = self.status.get(request.path) or [200]
        return web.Response(status=queue.pop(0))


class Running:
    """A product served on loopback from a thread of its own."""

    def __init__(self) -> None:
        self.product = Product()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Product:
        self._thread.start()
        assert self._ready.wait(10)
        return self.product

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        app.router.add_post("/{tail:.*}", self.product._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        host, port = runner.addresses[0][:2]
        self.product.url = f"http://{host}:{port}"
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
