"""Long lists in pages of 50, by cursor: page 200 costs what page 1 costs."""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

PAGE = 50


@dataclass(frozen=True)
class Page:
    """Rows, and where the pages before and after are (for ``_pagination.html``)."""

    rows: list[Any] = field(default_factory=list)
    next_url: str = ""
    previous_url: str = ""


def page_of(
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    order: Sequence[str] = ("-id",),
    size: int = PAGE,
) -> Page:
    """One page of ``rows`` in the given order, whose last column must be unique.

    ``?after=`` and ``?before=`` name the row next to the page; the other parameters of
    the address (filters) are kept. A cursor that cannot be read gives the first page.
    """
    back = "before" in request.GET
    cursor = _read(request.GET.get("before" if back else "after", ""), len(order))
    back = back and cursor is not None
    wanted = [_turned(name) for name in order] if back else list(order)
    found = rows.order_by(*wanted)
    if cursor is not None:
        try:
            found = found.filter(_beyond(wanted, cursor))
            part = list(found[: size + 1])
        except (ValueError, TypeError, ValidationError):
            back, cursor = False, None
            part = list(rows.order_by(*order)[: size + 1])
    else:
        part = list(found[: size + 1])
    more, part = len(part) > size, part[:size]
    if back:
        part.reverse()
    if not part:
        return Page()
    has_next = more if not back else True
    has_previous = cursor is not None if not back else more
    return Page(
        rows=part,
        next_url=_url(request, "after", part[-1], order) if has_next else "",
        previous_url=_url(request, "before", part[0], order) if has_previous else "",
    )


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _beyond(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows that come after ``values``: (a, b) > (x, y) as a > x or (a = x and b > y)."""
    condition, same = Q(pk__in=[]), Q()
    for name, value in zip(order, values, strict=True):
        column = name.removeprefix("-")
        sign = "lt" if name.startswith("-") else "gt"
        condition |= same & Q(**{f"{column}__{sign}": value})
        same &= Q(**{column: value})
    return condition


def _read(text: str, width: int) -> list[Any] | None:
    try:
        values = json.loads(base64.urlsafe_b64decode(text.encode()))
    except (ValueError, binascii.Error):
        return None
    plain = isinstance(values, list) and len(values) == width
    if not plain or not all(isinstance(v, str | int) for v in values):
        return None
    if any(isinstance(v, int) and abs(v) >= 2**63 for v in values):
        return None
    return None if any("\x00" in v for v in values if isinstance(v, str)) else values


def _url(request: HttpRequest, name: str, row: Model, order: Sequence[str]) -> str:
    values = []
    for column in order:
        value: Any = row
        for part in column.removeprefix("-").split("__"):
            value = getattr(value, part)
        is_date = isinstance(value, dt.date | dt.datetime)
        values.append(value.isoformat() if is_date else value)
    cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
    query = request.GET.copy()
    query.pop("after", None)
    query.pop("before", None)
    query[name] = cursor
    return f"?{query.urlencode()}"
