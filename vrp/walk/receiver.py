"""The buyer's own system: a small HTTP server that takes and checks webhooks."""

import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# The buyer refuses stamps that are further off than this, as Standard Webhooks says.
TOLERANCE_SECONDS = 300
LARGEST = 1_000_000
HOOK = "/hooks/orders"


@dataclass(frozen=True)
class Told:
    """One webhook that came."""

    id: str
    payload: dict[str, Any]
    problem: str

    @property
    def event(self) -> str:
        return str(self.payload.get("type", ""))

    @property
    def order_id(self) -> str:
        return str(self.payload.get("data", {}).get("order", {}).get("id", ""))


class Receiver:
    """Listens on 127.0.0.1 on a free port until it is closed."""

    def __init__(self) -> None:
        self.secret = ""
        self._told: list[Told] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{HOOK}"

    def about(self, order_id: str) -> list[Told]:
        """What came about one order, oldest first; repeats of one id once."""
        with self._lock:
            told = [one for one in self._told if one.order_id == order_id]
        return list({one.id: one for one in told}.values())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def _take(self, headers: Any, body: bytes) -> int:
        problem = signature_problem(self.secret, headers, body)
        try:
            payload = json.loads(body)
        except ValueError:
            payload, problem = {}, "the body is not JSON"
        told = Told(headers.get("webhook-id", ""), payload, problem)
        with self._lock:
            self._told.append(told)
        return 401 if problem else 204

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                size = min(int(self.headers.get("Content-Length") or 0), LARGEST)
                self.send_response(receiver._take(self.headers, self.rfile.read(size)))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *parts: Any) -> None:
                """The story is told by others."""

        return Handler


def signature_problem(secret: str, headers: Any, body: bytes) -> str:
    """Why a webhook is not to be believed; empty if it is (Standard Webhooks)."""
    stamp, webhook_id = (
        headers.get("webhook-timestamp", ""),
        headers.get("webhook-id", ""),
    )
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > TOLERANCE_SECONDS:
        return "the timestamp is missing or too far off"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{stamp}.".encode() + body
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(one, f"v1,{digest}") for one in given):
        return "the signature is wrong"
    return ""
