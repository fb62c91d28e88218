"""Numbers and days as people type them, in forms, searches, files and the API.

Python's own readers also take signs, underscores, exponents, the digits of other scripts
and week dates; what two readers understand differently is refused here, everywhere alike.
"""

import re
from datetime import date, datetime
from decimal import Decimal

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# RFC 3339: with its offset, because a moment without one is a guess.
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_DECIMAL = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
YEARS = range(1900, 2201)


def whole_number(text: str, most: int = 15) -> int | None:
    """The number that plain digits 0-9 spell, or None for anything else.

    More than ``most`` digits is None: no count of ours is that long, and 15 fit the
    database's ids.
    """
    digits = text.strip()
    plain = digits.isascii() and digits.isdigit() and len(digits) <= most
    return int(digits) if plain else None


def plain_decimal(text: str) -> Decimal | None:
    """The number that 0.25 spells, without sign, exponent or separators; else None."""
    digits = text.strip()
    return Decimal(digits) if _DECIMAL.fullmatch(digits) else None


def plain_day(text: str) -> date | None:
    """The day that 2027-03-29 spells, from 1900 to 2200; None for anything else."""
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
    return day if day and day.year in YEARS else None


def plain_moment(text: str) -> datetime | None:
    """The moment that 2027-03-29T06:00:00Z spells (RFC 3339); None for anything else."""
    try:
        return datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
    except ValueError:
        return None
