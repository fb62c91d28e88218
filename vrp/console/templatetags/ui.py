"""Template tags that draw the parts of the ops screens (``{% load ui %}``).

`docs/console.md` shows each of them with an example. Every text that comes in is
escaped; a value that is already safe HTML (another tag's output) is kept. Rows
may be dictionaries or objects. No tag writes inline styles or scripts: the content
security policy forbids both, so widths are SVG attributes.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from vrp.console import formats
from vrp.console.history import event_rows
from vrp.console.states import ICON_OF, Meaning, meaning_of
from vrp.events.models import SendingPause

register = template.Library()

_LINK_STARTS = ("/", "#", "?", "https://", "http://", "tel:", "mailto:")
_TONES = {*Meaning, "aa", "a", "b", "rework", "scrap", "brass", "action"}
_EVENT_ICONS = {
    "message": "message",
    "money": "money",
    "grade": "grade",
    "delivery": "truck",
    "plan": "plan",
    "job": "hammer",
    "order": "orders",
    "warning": "alert",
    "bad": "cross",
    "good": "check",
    "note": "note",
}


def _get(row: Any, name: str, default: Any = None) -> Any:
    """One value of a row that is a dictionary or an object."""
    if isinstance(row, Mapping):
        return row.get(name, default)
    return getattr(row, name, default)


def _link(url: Any) -> str:
    """The URL if a browser may follow it, else nothing (no javascript: links)."""
    text = str(url or "")
    return text if text.startswith(_LINK_STARTS) else ""


def _tone(name: Any, default: str = "neutral") -> str:
    return str(name) if str(name) in _TONES else default


def _meaning(name: Any, default: Meaning = Meaning.NEUTRAL) -> Meaning:
    try:
        return Meaning(str(name))
    except ValueError:
        return default


def _number(value: Any) -> float | None:
    """A finite float, or None when there is nothing to draw."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _percent(share: float) -> str:
    """0..1 as an SVG length that does not depend on the locale: "61.22%"."""
    return f"{min(max(share, 0.0), 1.0) * 100:.2f}%"


# Small parts, many to a page: built in Python, without a template each.


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """One icon of the sprite; with a label it speaks, without it is decoration."""
    href = f"{static('vrp/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}"></use></svg>',
            label,
            href,
        )
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>', href
    )


@register.simple_tag
def state_badge(
    state: Any, label: str = "", meaning: str = "", of: str = ""
) -> SafeString:
    """A state as icon and word. Takes the stored value or a TextChoices member.

    ``of`` names the kind of thing where a word has a meaning of its own there, such as
    an accepted payout; ``meaning`` overrules the table.
    """
    if state is None or str(state) == "":
        return SafeString("")
    drawn = _meaning(meaning, meaning_of(state, of))
    words = label or getattr(state, "label", "")
    words = words or formats.state_words(str(state))
    return format_html(
        '<span class="badge badge-{}" data-state="{}">{}{}</span>',
        drawn,
        state,
        icon(ICON_OF[drawn]),
        words,
    )


@register.simple_tag
def money(minor: int | None, currency: str, exact: bool = False) -> SafeString:
    """Integer minor units with their currency; nothing known is a dash."""
    if minor is None or minor == "":
        return format_html('<span class="money muted">{}</span>', formats.NOTHING)
    text = formats.format_money(minor, currency, exact=exact)
    return format_html('<span class="money">{}</span>', text)


@register.simple_tag
def phone(e164: str | None, masked: bool = False) -> SafeString:
    """A phone number one can tap; masked it is text and shows six digits."""
    if not e164:
        return format_html('<span class="phone muted">{}</span>', formats.NOTHING)
    text = formats.format_phone(e164, masked=masked)
    if masked or not str(e164).removeprefix("+").isdigit():
        return format_html('<span class="phone">{}</span>', text)
    return format_html('<a class="phone" href="tel:{}">{}</a>', e164, text)


@register.simple_tag
def when(moment: dt.datetime | dt.date | None, style: str = "full") -> SafeString:
    """A date or a time in the reader's zone, with how far away it is.

    ``style``: "full" (date, time, relative words), "short" (date and time only),
    "date" (date only) or "relative" (relative words only, the rest as title).
    """
    if not moment:
        return format_html('<span class="muted">{}</span>', formats.NOTHING)
    today = timezone.localdate()
    if isinstance(moment, dt.datetime):
        at = formats.local(moment)
        day, clock = at.date(), f", {at:%H:%M}"
        relative = formats.relative_time(at, now=timezone.now())
        stamp = at.isoformat(timespec="seconds")
    else:
        day, clock = moment, ""
        relative = formats.relative_day(moment, today=today)
        stamp = moment.isoformat()
    title = f"{day:%a} {day.day} {day:%b %Y}{clock}"
    main = formats.day_words(day, today=today) + ("" if style == "date" else clock)
    if style == "relative":
        main, relative = relative, ""
    if style in ("short", "date"):
        relative = ""
    ago = format_html(' <span class="ago">{}</span>', relative) if relative else ""
    return format_html(
        '<time datetime="{}" title="{}">{}{}</time>', stamp, title, main, ago
    )


@register.filter
def number(value: Any) -> str:
    """1200 as "1,200"."""
    return formats.format_number(value)


register.filter(event_rows)


@register.inclusion_tag("vrp/parts/progress.html")
def progress(done: Any, total: Any, label: str = "") -> dict[str, Any]:
    """How much of a total is done, in words and as a bar."""
    have, whole = _number(done) or 0, _number(total) or 0
    return {
        "done": f"{have:.10g}",
        "total": f"{whole:.10g}",
        "known": whole > 0,
        "full": whole > 0 and have >= whole,
        "done_words": formats.format_number(done if done is not None else 0),
        "total_words": formats.format_number(total if total is not None else 0),
        "label": label,
    }


# Blocks: one template each.


@register.inclusion_tag("vrp/parts/empty_state.html")
def empty_state(
    title: str, hint: str = "", url: str = "", label: str = "", icon: str = "box"
) -> dict[str, Any]:
    """An empty list that says what it is for and what to do next."""
    return {
        "title": title,
        "hint": hint,
        "url": _link(url),
        "label": label,
        "icon": icon,
    }


@register.inclusion_tag("vrp/parts/notice.html")
def notice(meaning: str, title: str, text: str = "") -> dict[str, Any]:
    """A box that tells something about this page (not a flash message)."""
    drawn = _meaning(meaning)
    return {"meaning": drawn, "icon": ICON_OF[drawn], "title": title, "text": text}


@register.inclusion_tag("vrp/parts/sending_paused.html")
def sending_paused() -> dict[str, Any]:
    """On pages from which something leaves: that nothing does since a restore."""
    pauses = SendingPause.active().order_by("outbox")
    names = ", ".join(pauses.values_list("outbox", flat=True))
    text = (
        f"What is entered is kept and leaves when operations resume it. Held: {names}."
    )
    return {"text": text if names else ""}


@register.inclusion_tag("vrp/parts/stat.html")
def stat(
    label: str,
    value: Any,
    detail: str = "",
    url: str = "",
    tone: str = "",
    icon: str = "",
) -> dict[str, Any]:
    """One tile of a ``<div class="stats">``: a number that matters and its name."""
    return {
        "label": label,
        "value": formats.format_number(value),
        "safe_value": value if isinstance(value, SafeString) else None,
        "detail": detail,
        "url": _link(url),
        "tone": _tone(tone) if tone else "",
        "icon": icon,
    }


@register.inclusion_tag("vrp/parts/facts.html")
def facts(rows: Iterable[Any] | None) -> dict[str, Any]:
    """A definition list: rows of label, value and optionally url and note."""
    return {
        "rows": [
            {
                "label": _get(row, "label", ""),
                "value": _get(row, "value"),
                "url": _link(_get(row, "url")),
                "note": _get(row, "note", ""),
            }
            for row in rows or ()
        ]
    }


@register.inclusion_tag("vrp/parts/todos.html")
def todos(rows: Iterable[Any] | None) -> dict[str, Any]:
    """What waits for me: rows of title, url and optionally detail, count,
    action, meaning (or tone) and due (a date or time)."""
    drawn = []
    for row in rows or ():
        meaning = _meaning(_get(row, "meaning") or _get(row, "tone"), Meaning.WAITING)
        drawn.append(
            {
                "title": _get(row, "title", ""),
                "detail": _get(row, "detail", ""),
                "url": _link(_get(row, "url")),
                "action": _get(row, "action") or "Open",
                "count": _get(row, "count"),
                "due": _get(row, "due"),
                "meaning": meaning,
                "icon": _get(row, "icon") or ICON_OF[meaning],
            }
        )
    return {"rows": drawn}


@register.inclusion_tag("vrp/parts/flow.html")
def flow(steps: Iterable[Any] | None, label: str = "Steps") -> dict[str, Any]:
    """The life of a thing in steps, left to right, or top down on a phone.

    Each step: label, state (done, now, waiting or blocked) and optionally detail,
    url, at, and count with of (a small bar: 960 of 1,200).
    """
    looks = {
        "done": ("check", "done"),
        "now": ("dot", "in progress"),
        "waiting": ("", "not yet"),
        "blocked": ("alert", "blocked"),
    }
    drawn = []
    for step in steps or ():
        state = str(_get(step, "state", "waiting"))
        state = state if state in looks else "waiting"
        of, count = _number(_get(step, "of")), _number(_get(step, "count"))
        drawn.append(
            {
                "label": _get(step, "label", ""),
                "detail": _get(step, "detail", ""),
                "url": _link(_get(step, "url")),
                "at": _get(step, "at"),
                "state": state,
                "icon": looks[state][0],
                "words": looks[state][1],
                "share": _percent((count or 0) / of) if of else "",
            }
        )
    return {"steps": drawn, "label": label}


@register.inclusion_tag("vrp/parts/timeline.html")
def timeline(events: Iterable[Any] | None) -> dict[str, Any]:
    """What happened, newest or oldest first as given: at, title, detail, actor,
    kind (picks the icon) and optionally url."""
    return {
        "events": [
            {
                "at": _get(event, "at"),
                "title": _get(event, "title", ""),
                "detail": _get(event, "detail", ""),
                "actor": _get(event, "actor", ""),
                "url": _link(_get(event, "url")),
                "kind": kind if (kind := str(_get(event, "kind", ""))) else "note",
                "icon": _EVENT_ICONS.get(kind, "dot"),
                "tone": {"warning": "warn", "bad": "bad", "good": "good"}.get(kind, ""),
            }
            for event in events or ()
        ]
    }


@register.inclusion_tag("vrp/parts/dimensions.html")
def dimensions(dims: Iterable[Any] | None) -> dict[str, Any]:
    """Graded dimensions as dots on a scale of 0 to 100, each with its range.

    Each: label, value (0..1, None when not measured), low and high (0..1, the
    range the true value is likely in), n (how many observations) and note.
    """
    return {"rows": [_dimension(dim) for dim in dims or ()]}


def _dimension(dim: Any) -> dict[str, Any]:
    value = _number(_get(dim, "value"))
    row: dict[str, Any] = {
        "label": _get(dim, "label", ""),
        "note": _get(dim, "note", ""),
        "n": _get(dim, "n"),
        "measured": value is not None,
    }
    if value is None:
        return row
    value = min(max(value, 0.0), 1.0)
    low, high = _number(_get(dim, "low")), _number(_get(dim, "high"))
    low = value if low is None else min(max(low, 0.0), value)
    high = value if high is None else max(min(high, 1.0), value)
    return row | {
        "score": round(value * 100),
        "at": _percent(value),
        "x": _percent(low),
        "width": _percent(high - low),
        "low": round(low * 100),
        "high": round(high * 100),
        "ranged": high > low,
    }


@register.inclusion_tag("vrp/parts/bars.html")
def bars(rows: Iterable[Any] | None, top: Any = None) -> dict[str, Any]:
    """Horizontal bars: label, value and optionally text (instead of the number),
    tone, url and note. ``top`` is the value of a full bar, else the largest row."""
    given = list(rows or ())
    values = [max(_number(_get(row, "value")) or 0.0, 0.0) for row in given]
    full = _number(top) or max(values, default=0.0) or 1.0
    return {
        "rows": [
            {
                "label": _get(row, "label", ""),
                "text": _get(row, "text") or formats.format_number(_get(row, "value")),
                "width": _percent(value / full),
                "tone": _tone(_get(row, "tone"), "action"),
                "url": _link(_get(row, "url")),
                "note": _get(row, "note", ""),
            }
            for row, value in zip(given, values, strict=True)
        ]
    }


@register.inclusion_tag("vrp/parts/split_bar.html")
def split_bar(parts: Iterable[Any] | None, label: str = "") -> dict[str, Any]:
    """Parts of a whole in one bar with a legend: label, value and tone (aa, a, b,
    rework, scrap, or a meaning). Parts of zero stay in the legend only."""
    given = list(parts or ())
    values = [max(_number(_get(part, "value")) or 0.0, 0.0) for part in given]
    total = sum(values)
    drawn, start = [], 0.0
    for part, value in zip(given, values, strict=True):
        share = value / total if total else 0.0
        drawn.append(
            {
                "label": _get(part, "label", ""),
                "text": formats.format_number(_get(part, "value")),
                "tone": _tone(_get(part, "tone")),
                "share": f"{share * 100:.1f} %",
                "x": _percent(start),
                "width": _percent(share),
                "middle": _percent(start + share / 2),
                "drawn": value > 0,
                "named": share >= 0.08,
            }
        )
        start += share
    return {"parts": drawn, "any": total > 0, "label": label}


@register.inclusion_tag("vrp/parts/grade_counters.html")
def grade_counters(total: int, counts: Iterable[Any]) -> dict[str, Any]:
    """The counters of the grading page and their total bar, for use in a form.

    ``total`` is what was counted in; each count: name (of the input), label,
    value, key (the letter that jumps to it), tone and optionally hint. The bar
    is right without JavaScript for the values as rendered.
    """
    rows = [
        {
            "name": _get(row, "name", ""),
            "label": _get(row, "label", ""),
            "value": int(_number(_get(row, "value")) or 0),
            "key": _get(row, "key", ""),
            "tone": _tone(_get(row, "tone")),
            "hint": _get(row, "hint", ""),
        }
        for row in counts
    ]
    values = [row["value"] for row in rows]
    done = sum(values)
    left = total - done
    words = f"{-left} too many" if left < 0 else f"{left} to grade" if left else ""
    return {
        "rows": rows,
        "total": total,
        "sum": " + ".join(str(value) for value in values if value) or "0",
        "done": done,
        "state": "over" if left < 0 else "under" if left else "ok",
        "words": words,
    }


@register.inclusion_tag("vrp/_field.html")
def field(field: BoundField, wide: bool = False) -> dict[str, Any]:
    """One form field: label, control, help and errors, tied together for readers."""
    return {"field": field, "wide": wide}
