"""Sample data of the style page: every part in every state it can have.

The names and figures are those of the demo network, so that the page reads like the
product and not like a paint box. Nothing here touches the database.
"""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import segno
from django import forms
from django.contrib.staticfiles import finders
from django.utils import timezone
from django.utils.safestring import mark_safe

from vrp.console.fields import DayField, LinesField, WholeNumberField
from vrp.console.states import MEANING_OF
from vrp.console.templatetags import ui


class SampleForm(forms.Form):
    """One of each kind of control."""

    quantity = WholeNumberField(min_value=1, help_text="At least 30 pieces a lot.")
    workshop = forms.ChoiceField(
        choices=[("W-017", "W-017 Wanjiku, Kibera"), ("W-031", "W-031 Otieno, Mathare")]
    )
    due_on = DayField(
        label="Due", widget=forms.DateInput(attrs={"type": "date"}), required=False
    )
    reason = LinesField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    urgent = forms.BooleanField(label="Tell her by SMS at once", required=False)
    language = forms.ChoiceField(
        choices=[("en", "English"), ("sw", "Kiswahili")], widget=forms.RadioSelect
    )


def order_flow(now: dt.datetime) -> list[dict[str, Any]]:
    """The life of an order half way through."""
    day = dt.timedelta(days=1)
    return [
        {
            "label": "Ordered",
            "state": "done",
            "detail": "1,200 HPN-01",
            "at": now - 9 * day,
        },
        {"label": "Planned", "state": "done", "detail": "20 jobs", "at": now - 8 * day},
        {
            "label": "Placed",
            "state": "done",
            "detail": "1,200 of 1,200 accepted",
            "at": now - 6 * day,
            "url": "#tables",
        },
        {
            "label": "Made",
            "state": "now",
            "detail": "960 of 1,200 delivered",
            "count": 960,
            "of": 1200,
        },
        {
            "label": "Graded",
            "state": "now",
            "detail": "538 of 960 graded",
            "count": 538,
            "of": 1200,
            "url": "#grading",
        },
        {"label": "Bought in", "state": "blocked", "detail": "400 CH-50 short"},
        {"label": "Assembled", "state": "waiting"},
        {"label": "Shipped", "state": "waiting", "detail": "promised 29 Mar"},
    ]


def order_events(now: dt.datetime) -> list[dict[str, Any]]:
    """What happened to the order, newest first."""
    hour = dt.timedelta(hours=1)
    rows = [
        ("grade", "Batch B-2231 graded", "60 AA, 28 A, 4 B, 6 rework", "Achieng O.", 1),
        ("money", "KES 51,520 owed to W-017", "92 pieces at KES 560", "", 1),
        ("warning", "W-029 is late", "20 % made, due in 3 days", "", 5),
        ("message", "Offer sent to W-044", "One SMS, delivered", "Njeri M.", 30),
        ("bad", "W-044 asked KES 590, refused", "", "Njeri M.", 52),
        ("order", "Order received", "Nordic Rose, PO 4500123, by API", "", 220),
    ]
    return [
        {
            "kind": kind,
            "title": title,
            "detail": detail,
            "actor": who,
            "at": now - n * hour,
        }
        for kind, title, detail, who, n in rows
    ]


def today_rows(now: dt.datetime) -> list[dict[str, Any]]:
    """What waits for a planner and a QC officer."""
    return [
        {
            "title": "Batches to grade",
            "detail": "B-2231, B-2240, B-2243",
            "url": "#grading",
            "count": 3,
            "action": "Grade",
            "due": now - dt.timedelta(days=2),
            "meaning": "warn",
        },
        {
            "title": "HP-01 without a workshop",
            "detail": "Order NRD-4500123; two declined, one was silent",
            "url": "#flow",
            "count": 240,
            "action": "Offer again",
            "due": timezone.localdate() + dt.timedelta(days=14),
            "meaning": "bad",
        },
        {
            "title": "Payout with unknown outcome",
            "detail": "PR-0311, the wallet did not answer",
            "url": "#money",
            "count": 1,
            "action": "Ask the wallet",
            "meaning": "unknown",
        },
        {
            "title": "Plan for BH-02 is ready",
            "detail": "8 workshops, 150 each",
            "url": "#flow",
            "action": "Look and release",
        },
    ]


DIMENSIONS = [
    {
        "label": "Quality",
        "value": 0.94,
        "low": 0.91,
        "high": 0.96,
        "n": 612,
        "note": "graded pieces",
    },
    {
        "label": "On time",
        "value": 0.81,
        "low": 0.7,
        "high": 0.89,
        "n": 31,
        "note": "deliveries",
    },
    {
        "label": "Answers",
        "value": 0.66,
        "low": 0.5,
        "high": 0.8,
        "n": 22,
        "note": "offers",
    },
    {
        "label": "Output",
        "value": 0.42,
        "low": 0.15,
        "high": 0.72,
        "n": 4,
        "note": "weeks: few, so the range is wide",
    },
    {"label": "Availability", "value": None, "n": 0, "note": "no calendar yet"},
]

GRADES = [
    {"label": "AA", "value": 60, "tone": "aa"},
    {"label": "A", "value": 28, "tone": "a"},
    {"label": "B", "value": 4, "tone": "b"},
    {"label": "Rework", "value": 6, "tone": "rework"},
    {"label": "Scrap", "value": 0, "tone": "scrap"},
]

COUNTERS = [
    {"name": "aa", "label": "AA", "value": 60, "key": "d", "tone": "aa"},
    {"name": "a", "label": "A", "value": 28, "key": "a", "tone": "a"},
    {"name": "b", "label": "B", "value": 4, "key": "b", "tone": "b"},
    {"name": "rework", "label": "Rework", "value": 4, "key": "r", "tone": "rework"},
    {"name": "scrap", "label": "Scrap", "value": 0, "key": "s", "tone": "scrap"},
]

DEFECTS = [
    {"label": "Scratch", "value": 14, "url": "#charts"},
    {"label": "Colour differs from batch", "value": 9, "note": "consistency"},
    {"label": "Size", "value": 5, "tone": "brass"},
    {"label": "Crack", "value": 1, "tone": "bad"},
    {"label": "Solder", "value": 0},
]


def table_rows(now: dt.datetime) -> list[dict[str, Any]]:
    """Jobs of one work order."""
    rows = [
        ("W-017", "Wanjiku Kamau", 100, 98, "delivered", 5_600_000),
        ("W-031", "Otieno Ouma", 60, 42, "in_progress", 3_360_000),
        ("W-044", "Amina Hassan", 100, 0, "countered", 5_600_000),
        ("W-052", "Mutua Kyalo", 100, 0, "lapsed", 5_600_000),
        ("W-063", "Chebet Kirui", 120, 0, "offered", 6_720_000),
    ]
    return [
        {
            "code": code,
            "lead": lead,
            "quantity": quantity,
            "made": made,
            "state": state,
            "pay_minor": pay,
            "due_on": (now + dt.timedelta(days=index * 3 - 2)).date(),
        }
        for index, (code, lead, quantity, made, state, pay) in enumerate(rows)
    ]


def labels() -> list[dict[str, Any]]:
    """Item labels with a code each."""
    return [
        {
            "serial": f"B2231-{number:03}",
            "qr": mark_safe(  # noqa: S308 - drawn by segno from our own serial
                segno.make(f"https://example.org/i/B2231-{number:03}").svg_inline(
                    omitsize=True, border=1
                )
            ),
        }
        for number in range(1, 7)
    ]


def icon_names() -> list[str]:
    """The names of the symbols in the sprite."""
    sprite = Path(str(finders.find("vrp/icons.svg"))).read_text()
    return re.findall(r'<symbol id="([^"]+)"', sprite)


def sample_form() -> SampleForm:
    """A form that was sent with mistakes, so that errors show."""
    form = SampleForm({"quantity": "0", "workshop": "W-017", "language": ""})
    form.is_valid()
    return form


def context() -> dict[str, Any]:
    """Everything the style page draws."""
    now = timezone.now()
    known = [
        {"state": state} for state in sorted(MEANING_OF, key=lambda s: MEANING_OF[s])
    ]
    return {
        "now": now,
        "today": timezone.localdate(),
        "states": known,
        "flow": order_flow(now),
        "events": order_events(now),
        "todos": today_rows(now),
        "dimensions": DIMENSIONS,
        "grades": GRADES,
        "counters": COUNTERS,
        "defects": DEFECTS,
        "rows": table_rows(now),
        "labels": labels(),
        "form": sample_form(),
        "icons": icon_names(),
        "facts": [
            {"label": "Buyer", "value": "Nordic Rose", "url": "#"},
            {"label": "Ordered", "value": ui.when(now)},
            {"label": "Value", "value": ui.money(4_680_000_00, "KES")},
            {"label": "Pay share", "value": "23.3 %", "note": "of the wholesale price"},
            {"label": "Phone", "value": ui.phone("+254712345678")},
            {"label": "Carrier", "value": None},
        ],
        "page": {"previous_url": "?before=1", "next_url": "?after=9"},
    }
