"""HTTP as the tour speaks it: short waits, no proxies, failures as sentences."""

import time
from collections.abc import Callable
from typing import Any

import requests

from vrp.walk.problem import NotRight

TIMEOUT = (5, 30)


def new_session() -> requests.Session:
    """A session that goes straight to the address, whatever the environment names."""
    session = requests.Session()
    session.trust_env = False
    return session


def call(
    session: requests.Session, method: str, url: str, **more: Any
) -> requests.Response:
    """One request. Raises ``NotRight`` if nobody answers."""
    try:
        return session.request(method, url, timeout=TIMEOUT, **more)
    except requests.RequestException as error:
        raise NotRight(
            f"{url} did not answer ({type(error).__name__}). Does the system run?"
        ) from error


def json_of(response: requests.Response) -> Any:
    """The body as JSON. Raises ``NotRight`` for another body or an error status."""
    if not response.ok:
        said = " ".join(response.text.split())[:300]
        raise NotRight(
            f"{response.request.method} {response.url} answered "
            f"HTTP {response.status_code}: {said}"
        )
    try:
        return response.json()
    except ValueError as error:
        raise NotRight(f"{response.url} did not answer with JSON.") from error


def poll(
    what: str,
    probe: Callable[[], Any],
    *,
    seconds: float,
    pause: float = 0.5,
    tick: Callable[[], None] = lambda: None,
) -> Any:
    """Ask until ``probe`` returns something true; that is returned.

    Raises ``NotRight`` after ``seconds``. ``tick`` is called after each empty answer.
    """
    end = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise NotRight(f"{what}: it did not happen within {seconds:.0f} s.")
        tick()
        time.sleep(pause)
