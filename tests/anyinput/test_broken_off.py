"""Requests that break off, or are no HTTP, on a real server: it goes on serving."""

import socket
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.anyinput.served import gunicorn
from tests.anyinput.test_callbacks import wallet_of
from tests.api.conftest import build_world
from tests.phone.conftest import build_channel
from vrp.tenancy.scope import tenant_scope


def spoken(url: str, said: bytes) -> bytes:
    """Everything that the server answers before it closes."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as line:
        line.sendall(said)
        line.shutdown(socket.SHUT_WR)
        heard = b""
        while part := line.recv(65_536):
            heard += part
    return heard


@pytest.mark.django_db(transaction=True)
def test_the_server_goes_on(tmp_path: Path) -> None:
    world = build_world()
    with tenant_scope(world.tenant):
        phone = build_channel(world.tenant).route_secret
        pay = wallet_of(world.tenant).route_secret
    key = f"Authorization: Bearer {world.api.key}\r\nIdempotency-Key: k1\r\n".encode()
    log = tmp_path / "gunicorn.log"
    with gunicorn(log) as url:
        for path in (
            f"/phone/{phone}/ussd", f"/phone/{phone}/sms/inbound",
            f"/phone/{phone}/sms/delivery", f"/pay/{pay}/result", f"/pay/{pay}/timeout",
            "/api/v1/orders",
        ):  # fmt: skip
            head = b"POST " + path.encode() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + key
            kind = b"Content-Type: application/json\r\n"
            for rest in (
                kind + b"Content-Length: 500\r\n\r\n{\"half\": ",
                kind + b"Content-Length: 99999999999999999999\r\n\r\n{",
                b"Content-Length: 5\r\n\r\n",
                kind + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
                kind + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
                b"Content-Length: -1\r\n\r\n",
            ):  # fmt: skip
                heard = spoken(url, head + rest)
                assert b" 500 " not in heard.split(b"\r\n", 1)[0], (path, rest)
        for noise in (b"", b"\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00" * 50,
                      b"GET / HTTP/9.9\r\n\r\n", b"A" * 20_000, b"\x00" * 100):  # fmt: skip
            spoken(url, noise)
        with urllib.request.urlopen(f"{url}/healthz", timeout=30) as answer:
            assert answer.status == 200
    assert "Traceback" not in log.read_text()
