"""Strict reading of environment variables: a wrong value stops the start, loudly.

Every variable the system knows is read through these functions from
``vrp/settings.py`` and listed in ``.env.example``; a test compares the two.
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from vrp.rates import Rate


def text(name: str, default: str | None = None) -> str:
    """The variable's text. Without a default it must be set and not empty."""
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set the environment variable {name}.")
    return value


def secret(name: str, default: str | None = None) -> str:
    """Text from ``NAME``, or from the file that ``NAME_FILE`` points to."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        if name in os.environ:
            raise ImproperlyConfigured(f"Set {name} or {name}_FILE, not both.")
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {error}") from error
    return text(name, default)


def boolean(name: str, default: bool) -> bool:
    """``1``/``true`` or ``0``/``false``; anything else is refused."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    known = {"1": True, "true": True, "0": False, "false": False}
    if raw.lower() not in known:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {raw!r}.")
    return known[raw.lower()]


def integer(name: str, default: int, *, low: int, high: int) -> int:
    """A whole number within ``low..high``."""
    raw = os.environ.get(name)
    return default if raw is None else number(raw, name, low=low, high=high)


def number(raw: str, name: str, *, low: int, high: int) -> int:
    """A whole number within ``low..high`` that stands in the variable ``name``."""
    try:
        value = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from error
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name} must be between {low} and {high}.")
    return value


def rate(name: str, default: str) -> Rate:
    """So many in so long, such as ``600/min`` or ``5/15min``."""
    try:
        return Rate.parse(text(name, default))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error


def listing(name: str, default: str = "") -> list[str]:
    """Comma-separated text as a list; blanks are dropped."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]
