"""The buyer's webhook receiver, with moods: it may fail, dawdle or hang up."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from vrp.walk.receiver import HOOK, LARGEST, signature_problem

# What it can do instead of answering 204.
MOODS = ("error", "slow", "reset", "late_reset")
# So many moods one webhook meets, and so many wait for the next ones.
MOST = 2


class MoodyReceiver:
    """Listens on 127.0.0.1; remembers what it took, by ``webhook-id``."""

    def __init__(self) -> None:
        self.secret = ""
        # id -> (order id, event); how often each was taken (answered 2xx), and came.
        self.taken: dict[str, tuple[str, str]] = {}
        self.times: Counter[str] = Counter()
        self.forged: list[str] = []
        self.had: Counter[str] = Counter()
        self._moods: list[str] = []
        self._met: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{HOOK}"

    def misbehave(self, mood: str) -> None:
        """The next delivery meets this mood."""
        with self._lock:
            if len(self._moods) < MOST:
                self._moods.append(mood)

    def behave(self) -> None:
        """No more moods."""
        with self._lock:
            self._moods.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _take(self, headers: Any, body: bytes) -> str:
        """Keep what came unless the mood is against it; returns the mood."""
        problem = signature_problem(self.secret, headers, body)
        with self._lock:
            webhook_id = headers.get("webhook-id", "")
            if problem:
                self.forged.append(f"{webhook_id}: {problem}")
                return "forged"
            # A webhook that fails again and again is tried again only hours later.
            spared = self._met[webhook_id] >= MOST
            mood = self._moods.pop(0) if self._moods and not spared else ""
            self._met[webhook_id] += bool(mood)
            self.had[mood] += 1
            # A late reset cuts the connection after the work was done.
            if mood in ("", "slow", "late_reset"):
                payload = json.loads(body)
                order = payload["data"]["order"]["id"]
                self.taken[webhook_id] = (order, payload["type"])
                self.times[webhook_id] += 1
            return mood

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 20

            def do_POST(self) -> None:
                size = min(int(self.headers.get("Content-Length") or 0), LARGEST)
                mood = receiver._take(self.headers, self.rfile.read(size))
                if mood in ("reset", "late_reset"):
                    self.connection.close()
                    return
                if mood == "slow":
                    time.sleep(4)
                status = {"error": 500, "forged": 401}.get(mood, 204)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def handle(self) -> None:
                try:
                    super().handle()
                except (OSError, ValueError):
                    # The sender was killed, or we hung up ourselves.
                    self.close_connection = True

            def finish(self) -> None:
                try:
                    super().finish()
                except (OSError, ValueError):
                    self.close_connection = True

            def log_message(self, *parts: Any) -> None:
                """The journal tells."""

        return Handler
