"""Recorded events as rows that the timeline can draw."""

from collections.abc import Iterable
from typing import Any

from vrp.events.models import Event

_KIND_OF = {
    "batch": "grade",
    "delivery": "delivery",
    "item": "grade",
    "job": "job",
    "line": "order",
    "message": "message",
    "order": "order",
    "payable": "money",
    "payout": "money",
    "plan": "plan",
    "run": "money",
    "stock": "delivery",
    "ticket": "grade",
    "wallet": "money",
    "work": "order",
}
_ENDS_BADLY = {"cancelled", "declined", "failed", "refused"}
_ENDS_WITH_CARE = {"closed", "held", "lapsed", "late", "unknown", "withdrawn"}


def event_rows(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Rows for ``{% timeline %}``, in the order given.

    The title is the event's name in words, the detail its plain values (lists and
    nested values are left to the thing's own page) and the reason a person gave.
    """
    return [_row(event) for event in events]


def _row(event: Event) -> dict[str, Any]:
    subject, _, verb = event.name.partition(".")
    values = [
        f"{key.replace('_', ' ')} {value}"
        for key, value in event.data.items()
        if value not in ("", None) and not isinstance(value, dict | list)
    ]
    return {
        "at": event.at,
        "title": f"{subject} {verb}".replace("_", " ").strip().capitalize(),
        "detail": " · ".join([*values, event.reason] if event.reason else values),
        "actor": event.actor_label,
        "kind": _kind(subject, verb),
    }


def _kind(subject: str, verb: str) -> str:
    first = verb.split("_")[0]
    if first in _ENDS_BADLY:
        return "bad"
    if first in _ENDS_WITH_CARE:
        return "warning"
    return _KIND_OF.get(subject.split("_")[0], "note")
