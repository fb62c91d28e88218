"""Recorded events as rows that the timeline can draw."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils import timezone

from vrp.accounts.enums import Role
from vrp.console import formats
from vrp.events.models import Event
from vrp.tenancy.scope import active_tenant

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
# Where the event's own name is not how people say it.
_TITLES = {
    "api_key.issued": "API key made",
    "api_key.rotated": "API key replaced",
    "api_key.revoked": "API key revoked",
    "job.offered": "Job offered",
    "job.accepted": "Job accepted",
    "job.progressed": "Progress reported",
    "job.delivered": "Pieces counted in",
    "job.closed_short": "Rest of a job let go",
    "line.advanced": "Line moved on",
    "line.parts_in": "All parts of a line are in",
    "line.parts_missing": "Parts of a line are missing again",
    "member.role_granted": "Role given",
    "member.role_revoked": "Role taken away",
    "member.changed": "Person changed in the back office",
    "member.invited": "Invited",
    "member.switched_off": "Switched off: cannot sign in",
    "member.switched_on": "May sign in again",
    "network.imported": "Network imported",
    "office.added": "Master data added",
    "office.changed": "Master data changed",
    "payable.posted": "Earned",
    "password.changed": "Password chosen",
    "password.reset": "Password reset",
    "payout.paid": "Paid",
    "payout.sent": "Payment sent to the wallet",
    "payout.unknown": "Payment outcome unknown",
    "payout.failed": "Payment failed",
    "run.made": "Payout run made",
    "run.approved": "Payout run approved",
    "run.done": "Payout run finished",
    "second_factor.enrolled": "Second factor set up",
    "second_factor.recovery_renewed": "New recovery codes",
    "second_factor.recovery_used": "Recovery code used",
    "second_factor.removed": "Second factor removed",
    "second_factor.replaced": "Second factor moves to another phone",
    "second_factor.reset": "Second factor reset by somebody else",
    "second_factor.rule_set": "Rule for second factors changed",
    "sign_in.done": "Signed in",
    "sign_in.ended": "Signed out everywhere",
    "sign_in.locked": "Too many failed tries to sign in",
    "work_order.done": "Component complete",
}
# Values that only help machines stay off the screen.
_HIDDEN = {"offered", "kind", "order", "inspection", "payout", "code_path"}
_UNITS = {
    "quantity": "pieces",
    "made": "made",
    "counted": "counted",
    "missing": "missing",
}
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
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
        _words(key, value)
        for key, value in event.data.items()
        if key not in _HIDDEN
        and value not in ("", None, 0)
        and not isinstance(value, dict | list)
    ]
    plain = f"{subject} {verb}".replace("_", " ").strip().capitalize()
    return {
        "at": event.at,
        "title": _TITLES.get(event.name, plain),
        "detail": " · ".join([*values, event.reason] if event.reason else values),
        "actor": event.actor_label,
        "kind": _kind(subject, verb),
    }


def _words(key: str, value: Any) -> str:
    """One value as a person says it: ``amount_minor`` in money, counts with their unit."""
    tenant = active_tenant()
    if key.endswith("_minor") and isinstance(value, int) and tenant is not None:
        return formats.format_money(value, tenant.currency)
    if key == "role":
        return str(Role(value).label) if value in Role.values else str(value)
    if key in _UNITS:
        return f"{value} {_UNITS[key]}"
    if key in ("aa", "a", "b", "rework", "scrap"):
        return f"{value} {key.upper() if len(key) < 3 else key}"
    return f"{key.replace('_', ' ')} {_day(value)}"


def _day(value: Any) -> Any:
    """A date as it is recorded (2026-11-23) in words; anything else as it is."""
    if not isinstance(value, str) or not _ISO_DATE.fullmatch(value):
        return value
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return value
    return formats.day_words(day, today=timezone.localdate())


def _kind(subject: str, verb: str) -> str:
    first = verb.split("_")[0]
    if first in _ENDS_BADLY:
        return "bad"
    if first in _ENDS_WITH_CARE:
        return "warning"
    return _KIND_OF.get(subject.split("_")[0], "note")
