"""HTTP to addresses that strangers chose: public hosts only, no redirects, short waits.

An address is judged when it is registered and again each time it is used. Then its name is
resolved once, every answer must be public, and the connection goes to an address that was
judged: a name server that changes its mind in between gains nothing. The certificate is
still checked against the name.

On one machine (``VRP_EMBEDDED``) plain http, any port and the machine itself are fine.
"""

import http.client
import re
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import certifi
from django.conf import settings

# Seconds: to resolve a name and to connect; to send and get an answer, all of it.
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
# So much of an answer is read; the rest is left in the pipe.
ANSWER_BYTES = 2048
# Networks that Python counts as global although nothing public is there, and the address
# at which a cloud's machines find their host.
UNICAST = IPv6Network("2000::/3")
HIDDEN: list[IPv4Network | IPv6Network] = [
    IPv6Network("3fff::/20"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("168.63.129.16/32"),
]
NUMBERS = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
NOT_PUBLIC = "The address is not on the public internet."


class Refused(Exception):
    """We do not send there. The sentence is safe to show to the buyer."""


@dataclass(frozen=True)
class Destination:
    """Where a URL leads, in parts."""

    scheme: str
    host: str
    port: int
    target: str


@dataclass(frozen=True)
class Answer:
    """HTTP status, and the beginning of the body as text."""

    status: int
    text: str


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        # What is given out to the internet (RFC 4291), but for tunnels and for ISATAP,
        # whose last half is an IPv4 address of any kind (RFC 5214).
        if ip not in UNICAST or ip.sixtofour or ip.teredo:
            return False
        if int(ip) >> 32 & 0xFDFF_FFFF == 0x5EFE:
            return False
    if any(ip in network for network in HIDDEN):
        return False
    return ip.is_global and not ip.is_multicast


def destination(url: str) -> Destination:
    """The parts of an address that may be used. Raises ``Refused`` with what is wrong.

    https only, on a port of ``VRP_WEBHOOK_PORTS``, no user or password, and an IP address
    in its usual form only: 2130706433 and 0177.1 are 127.0.0.1 to a resolver.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Refused("Write the address in ASCII (punycode, %-encoding).")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Refused("This is not a URL.") from error
    schemes = ("https", "http") if settings.EMBEDDED else ("https",)
    if parts.scheme not in schemes or not host:
        raise Refused("Give a full https:// address.")
    if "@" in parts.netloc or parts.fragment:
        raise Refused("No user, password or fragment in the address.")
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    if port == 0:
        raise Refused("Port 0 cannot be reached.")
    if not settings.EMBEDDED:
        if port not in settings.WEBHOOK_PORTS:
            ports = ", ".join(str(one) for one in sorted(settings.WEBHOOK_PORTS))
            raise Refused(f"Only these ports are reached: {ports}.")
        _check_form(host)
    target = parts.path or "/"
    target += f"?{parts.query}" if parts.query else ""
    return Destination(parts.scheme, host, port, target)


def _check_form(host: str) -> None:
    """Refuse IP addresses in disguise, and names that only our own network knows."""
    last = host.rstrip(".").rpartition(".")[2]
    if ":" in host or NUMBERS.fullmatch(last):
        try:
            public = is_public(host)
        except ValueError as error:
            raise Refused("Write an IP address in its usual form.") from error
        if not public:
            raise Refused(NOT_PUBLIC)
    elif "." not in host.rstrip("."):
        raise Refused("Give the full name of the host.")


def resolve(where: Destination) -> list[str]:
    """The addresses of the host, each of them judged. Raises ``Refused``."""
    answers: SimpleQueue[Any] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
            answers.put([str(row[4][0]) for row in found])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    # A resolver has no time limit of its own; one that hangs is left behind.
    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answers.get(timeout=CONNECT_SECONDS)
    except Empty:
        found = None
    if not isinstance(found, list) or not found:
        raise Refused(f"The name {where.host} cannot be resolved.")
    if not settings.EMBEDDED and not all(is_public(one) for one in found):
        raise Refused(NOT_PUBLIC)
    return list(dict.fromkeys(found))


def check_url(url: str) -> None:
    """Raise ``Refused`` unless we may send to this address now."""
    resolve(destination(url))


def post(url: str, *, body: bytes, headers: dict[str, str]) -> Answer:
    """POST once and return the answer's status and beginning. Redirects are answers.

    Raises ``Refused``, ``OSError`` (also for time-outs and bad certificates) or
    ``http.client.HTTPException``. Proxies and ``.netrc`` of the environment do not exist
    for this. All of it takes 16 seconds at most.
    """
    where = destination(url)
    sock = _connect(resolve(where), where.port)
    # Cuts through whatever the other side makes us wait for, byte by byte.
    handle = sock.dup()
    clock = threading.Timer(ANSWER_SECONDS, _cut, [handle])
    clock.daemon = True
    clock.start()
    until = time.monotonic() + ANSWER_SECONDS
    try:
        answer = _exchange(sock, where, body, headers)
        # What was cut through may look like an answer that ended.
        if time.monotonic() >= until:
            raise TimeoutError
        return answer
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() >= until:
            raise TimeoutError("The answer took too long.") from error
        raise
    finally:
        clock.cancel()
        sock.close()
        handle.close()


def _connect(addresses: list[str], port: int) -> socket.socket:
    """A connection to the first address that takes one."""
    until = time.monotonic() + CONNECT_SECONDS
    problem: OSError = TimeoutError("No address took the connection in time.")
    for address in addresses:
        left = until - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((address, port), timeout=left)
        except OSError as error:
            problem = error
    raise problem


def _cut(handle: socket.socket) -> None:
    with suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


def _exchange(
    sock: socket.socket, where: Destination, body: bytes, headers: dict[str, str]
) -> Answer:
    sock.settimeout(ANSWER_SECONDS)
    if where.scheme == "https":
        sock = _tls().wrap_socket(sock, server_hostname=where.host)
    with sock:
        link = http.client.HTTPConnection(where.host, where.port)
        # Given, so that it never resolves or connects by itself.
        link.sock = sock
        link.auto_open = 0
        usual = 443 if where.scheme == "https" else 80
        name = f"[{where.host}]" if ":" in where.host else where.host
        name += f":{where.port}" if where.port != usual else ""
        link.request(
            "POST",
            where.target,
            body,
            {**headers, "Host": name, "Connection": "close"},
        )
        response = link.getresponse()
        text = response.read(ANSWER_BYTES).decode("utf-8", "replace")
        return Answer(response.status, text)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())
