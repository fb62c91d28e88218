"""HTTP to addresses that strangers chose: public hosts only, no redirects, short waits.

A name is checked when it is registered and again when it is used. Between that check and
the connection a name server may change its answer, so the address that the socket really
reached is checked once more before a byte is sent.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

# Seconds to connect, and to wait for the answer.
TIMEOUT = (3, 10)
# Carries an IPv4 address inside: 64:ff9b::7f00:1 would reach 127.0.0.1.
NAT64 = IPv6Network("64:ff9b::/96")


class Refused(Exception):
    """We do not send there. The sentence is safe to show to the buyer."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif ip.sixtofour or ip.teredo or ip in NAT64:
            return False
    return ip.is_global and not ip.is_multicast


def check_host(host: str) -> None:
    """Raise ``Refused`` unless every address of the name is public (see module)."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused(f"The name {host} cannot be resolved.") from error
    if settings.EMBEDDED:
        return
    if not all(is_public(str(row[4][0])) for row in found):
        raise Refused("The address is not on the public internet.")


def _check_peer(sock: socket.socket) -> socket.socket:
    if not settings.EMBEDDED and not is_public(sock.getpeername()[0]):
        sock.close()
        raise Refused("The address is not on the public internet.")
    return sock


class _GuardedHTTP(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _check_peer(super()._new_conn())


class _GuardedHTTPS(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _check_peer(super()._new_conn())


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPS


class _GuardedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _HTTPPool,
            "https": _HTTPSPool,
        }


def post(url: str, *, body: bytes, headers: dict[str, str]) -> int:
    """POST and return the HTTP status; the answer's body is never read.

    Raises ``Refused`` or ``requests.RequestException``. Proxies and ``.netrc`` of the
    environment are not used.
    """
    check_host(urlsplit(url).hostname or "")
    with requests.Session() as session:
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, _GuardedAdapter())
        with session.post(
            url,
            data=body,
            headers=headers,
            timeout=TIMEOUT,
            allow_redirects=False,
            stream=True,
        ) as response:
            return response.status_code
