"""A keep-alive HTTP/1.1 client that costs little, so that the server is what is timed."""

from __future__ import annotations

import json
import socket
from typing import Any


class Client:
    """One connection. It is opened again when the server has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> tuple[int, bytes]:
        """Status and body. Raises OSError when nobody answers."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        message = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        for attempt in (1, 2):
            try:
                if self._socket is None:
                    self._socket = socket.create_connection(self._address, timeout=60)
                    self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._socket.sendall(message)
                return self._read()
            except (ConnectionError, TimeoutError):
                # The server closes idle connections; a fresh one must work.
                self.close()
                if attempt == 2:
                    raise
        raise AssertionError("not reached")

    def _read(self) -> tuple[int, bytes]:
        assert self._socket is not None
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        length = 0
        for line in lines:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif name.lower() == b"transfer-encoding":
                raise ValueError("a chunked answer is not read here")
        parts, got = [body], len(body)
        while got < length:
            parts.append(self._more())
            got += len(parts[-1])
        if b"connection: close" in head.lower():
            self.close()
        return int(first.split()[1]), b"".join(parts)

    def _more(self) -> bytes:
        assert self._socket is not None
        data = self._socket.recv(262_144)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        return data

    def close(self) -> None:
        """Close the connection if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def as_json(value: Any) -> bytes:
    """The body of a JSON request."""
    return json.dumps(value).encode()
