"""Words for numbers, money, phones and times, as plain text and without HTML."""

import datetime as dt
import math

import phonenumbers
from django.utils import timezone

# Digits after the point, ISO 4217. Currencies that are not listed have two.
EXPONENT_OF = {
    "BIF": 0,
    "DJF": 0,
    "GNF": 0,
    "JPY": 0,
    "KMF": 0,
    "KRW": 0,
    "RWF": 0,
    "UGX": 0,
    "VND": 0,
    "XAF": 0,
    "XOF": 0,
    "BHD": 3,
    "JOD": 3,
    "KWD": 3,
    "LYD": 3,
    "OMR": 3,
    "TND": 3,
}

MINUS = "\u2212"
NOTHING = "\u2013"


def format_money(minor: int, currency: str, *, exact: bool = False) -> str:
    """Minor units as text: 5152000, "KES" is "KES 51,520".

    Nothing is rounded. Cents are shown when there are any, or always with
    ``exact`` (columns that are to be added up). Raises TypeError on anything but
    an integer, because a float cannot hold money.
    """
    if isinstance(minor, bool) or not isinstance(minor, int):
        raise TypeError(f"money is integer minor units, not {type(minor).__name__}")
    code = currency.upper()
    exponent = EXPONENT_OF.get(code, 2)
    whole, rest = divmod(abs(minor), 10**exponent)
    text = f"{whole:,}"
    if exponent and (rest or exact):
        text += f".{rest:0{exponent}d}"
    return f"{code} {MINUS if minor < 0 else ''}{text}"


def format_phone(e164: str, *, masked: bool = False) -> str:
    """+254712345678 as "+254 712 345678", or "+254 712 ••• 678" when masked.

    Text that is no phone number comes back as it is (masked: its last three
    characters only), because a screen must still show what is stored.
    """
    text = str(e164)
    if masked:
        tail = text[-3:] if len(text) > 3 else ""
        try:
            parsed = phonenumbers.parse(text, None)
        except phonenumbers.NumberParseException:
            return f"••• {tail}".strip()
        start = str(parsed.national_number)[:3]
        return f"+{parsed.country_code} {start} ••• {tail}"
    try:
        parsed = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return text
    kind = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, kind)


def format_number(value: object) -> str:
    """A count with thousands separated; other things as their own text."""
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    return f"{value:,}".replace("-", MINUS)


def state_words(state: str) -> str:
    """A stored state as words: on_hold is "On hold", the grade aa is "AA"."""
    if state.lower() in ("aa", "a", "b", "ok"):
        return state.upper()
    return state.replace("_", " ").capitalize()


def day_words(day: dt.date, *, today: dt.date) -> str:
    """15 Mar, with the year when it is not this one."""
    year = f" {day.year}" if day.year != today.year else ""
    return f"{day.day} {day:%b}{year}"


def relative_day(day: dt.date, *, today: dt.date) -> str:
    """today, tomorrow, in 14 days, 3 weeks ago: how far a date is from today."""
    days = (day - today).days
    named = {0: "today", 1: "tomorrow", -1: "yesterday"}
    if days in named:
        return named[days]
    return _toward(days * 86_400)


def relative_time(moment: dt.datetime, *, now: dt.datetime) -> str:
    """just now, 5 min ago, in 2 h, 3 days ago: how far a time is from now."""
    seconds = (moment - now).total_seconds()
    return "just now" if abs(seconds) < 60 else _toward(seconds)


def _toward(seconds: float) -> str:
    """Seconds from now in the largest unit that gives at least one of it."""
    units = (
        (365 * 86_400, "year", "years"),
        (60 * 86_400, "month", "months"),
        (14 * 86_400, "week", "weeks"),
        (86_400, "day", "days"),
        (3_600, "h", "h"),
        (60, "min", "min"),
    )
    size = abs(seconds)
    for floor, one, many in units:
        if size >= floor:
            length = {"month": 30 * 86_400, "week": 7 * 86_400}.get(one, floor)
            count = math.floor(size / length)
            words = f"{count} {one if count == 1 else many}"
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "just now"


def local(moment: dt.datetime) -> dt.datetime:
    """The moment in the reader's time zone; a naive one is taken as local."""
    if timezone.is_naive(moment):
        return timezone.make_aware(moment)
    return timezone.localtime(moment)
