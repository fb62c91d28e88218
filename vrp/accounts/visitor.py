"""Who knocks: address, browser, and whether this device has let the person in before.

A device that somebody signed in on keeps a signed cookie that says so. Guesses against
an account cannot shut out its owner there (OWASP calls these device cookies); the cookie
opens nothing by itself.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from vrp.rates import address_of

COOKIE = "vrp_device"
SALT = "vrp.accounts.device"
REMEMBERED_SECONDS = 180 * 86_400
# People who share a computer.
PEOPLE = 8
# Signs in the User-Agent header; the first that fits counts, since browsers also name
# those whom they resemble.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "Linux": "Linux",
}


@dataclass(frozen=True)
class Visitor:
    """What is known of the other end before anybody has signed in."""

    ip: str = ""
    agent: str = ""
    # By user id, the name this device has with the account.
    known: tuple[tuple[int, str], ...] = ()

    def device_of(self, user_id: int | None) -> str:
        """The device's name with this account; empty on one that is new to it."""
        return dict(self.known).get(user_id or 0, "")


def visitor_of(request: HttpRequest) -> Visitor:
    """Read the request. A forged or outdated cookie counts as none."""
    return Visitor(
        ip=address_of(request)[:45],
        agent=request.headers.get("User-Agent", "")[:200].replace("\x00", ""),
        known=tuple(_read(request).items()),
    )


def _read(request: HttpRequest) -> dict[int, str]:
    try:
        raw: Any = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=REMEMBERED_SECONDS
        )
        return {int(pk): str(name) for pk, name in raw}
    except (signing.BadSignature, ValueError, TypeError):
        return {}


def remember_device(request: HttpRequest, response: HttpResponse, user_id: int) -> None:
    """Keep on this device that the person signed in here."""
    known = _read(request)
    name = known.pop(user_id, "") or secrets.token_urlsafe(12)
    rows = [*known.items(), (user_id, name)][-PEOPLE:]
    response.set_cookie(
        COOKIE,
        signing.dumps(rows, salt=SALT),
        max_age=REMEMBERED_SECONDS,
        path="/ops/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def browser_words(agent: str) -> str:
    """Such as "Firefox on Android"; what cannot be told as it was sent, in part."""
    browser = next((name for sign, name in BROWSERS.items() if sign in agent), "")
    system = next((name for sign, name in SYSTEMS.items() if sign in agent), "")
    known = " on ".join(part for part in (browser, system) if part)
    return known or agent[:60] or "unknown"
