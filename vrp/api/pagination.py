"""Keyset pages: stable while rows are added, and page 1,000 costs what page 1 costs."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

DEFAULT_SIZE = 50
MAX_SIZE = 100


@dataclass(frozen=True)
class Page:
    """Rows of one page, and the cursor of the next (None on the last)."""

    rows: list[Any]
    next_cursor: str | None


def encode(position: list[Any]) -> str:
    """An opaque cursor. What is in it is no promise to clients."""
    text = json.dumps(position, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str) -> list[Any]:
    """The position in a cursor. Raises ``ParseError`` for anything we did not make."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise ParseError("Unknown cursor; start without one.") from error
    if not isinstance(position, list):
        raise ParseError("Unknown cursor; start without one.")
    return position


def paginate(
    rows: QuerySet[Any],
    *,
    cursor: str,
    size: int,
    after: Callable[[QuerySet[Any], list[Any]], QuerySet[Any]],
    position: Callable[[Any], list[Any]],
) -> Page:
    """One page of an ordered queryset.

    ``after`` narrows it to what follows a position (and raises ``ValueError`` or
    ``TypeError`` for one that is not of its own making), ``position`` reads a row's.
    """
    if cursor:
        try:
            rows = after(rows, decode(cursor))
        except (ValueError, TypeError, OverflowError) as error:
            raise ParseError("Unknown cursor; start without one.") from error
    found = list(rows[: size + 1])
    more = len(found) > size
    found = found[:size]
    return Page(found, encode(position(found[-1])) if more else None)


def envelope(request: Request, page: Page, results: Any) -> dict[str, Any]:
    """``results``, ``next_cursor`` and ``next``, the address of the next page or None."""
    url = None
    if page.next_cursor:
        query = request.query_params.copy()
        query["cursor"] = page.next_cursor
        url = f"{request.build_absolute_uri(request.path)}?{query.urlencode()}"
    return {"results": results, "next": url, "next_cursor": page.next_cursor}
