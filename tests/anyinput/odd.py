"""Odd values, and a print of the database to see that they changed nothing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from hypothesis import HealthCheck, settings

# Numbers that some reader takes and another does not.
NUMBERS = [
    "１２", "١٢", "۱۲", "१२", "1_000", "1,000", "1 000", "+5", "-5", "-0", "5.0", "5.",
    ".5", "1e3", "1E+09", "0x10", "0b1", "0o7", "NaN", "inf", "-Infinity", "½", "²", "Ⅷ",
    "５", "1\u200b2", "1\u00a02", "9" * 400, "1'000", "=5", "５０%", "٣٫٥", "٠", "--5",
]  # fmt: skip
DAYS = [
    "2027-W13-1", "2027W131", "20270329", "2027-3-29", "29.03.2027", "29/03/2027",
    "03/29/2027", "3/29/27", "29 Mar 2027", "2027-088", "２０２７-０３-２９", "٢٠٢٧-٠٣-٢٩",
    "2027-03-29T00:00:00", "2027-03-29 00:00", "2027-02-30", "2027-13-01", "0000-01-01",
    "0001-01-01", "9999-12-31", "+2027-03-29", "-2027-03-29", "2027‐03‐29", "46110",
    "2027-03-29Z", "2027-03-29\u200b", "now", "today", "1e9", "NaN",
]  # fmt: skip
# Characters that no text of one line may hold.
HIDDEN = [
    "\x00", "a\x00b", "\x07", "a\x1bb", "a\x7fb", "a\x85b", "a\u200bb", "a\u200db",
    "a\u200fb", "a\u202eb", "a\u2066b", "a\ufeffb", "a\u00adb", "a\u2028b", "a\u2029b",
    "a\ufffeb", "a\uffffb",
]  # fmt: skip
HALVES = ["\ud800", "a\udfffb", "\udc80"]
TEXTS = [
    "", " ", "'", '"', "%", "\\", "' OR 1=1 --", "<script>alert(1)</script>", "{{7*7}}",
    "${7*7}", "%00", "%s%n", "../../etc/passwd", "null", "undefined", "true", "[]", "{}",
    "ก" * 80, "👩🏽‍🏭", "e\u0301" * 40, "A" * 5_000, "\u0130", "ß" * 60, "\U0010ffff",
    "*" * 50, "?&=#", "=HYPERLINK(\"http://x\")", "@SUM(1)", "+254712345678",
]  # fmt: skip
ODD = [*NUMBERS, *DAYS, *HIDDEN, *TEXTS]

# Examples are fixed, so that a run says the same twice; ANYINPUT_EXAMPLES asks for more
# and other ones.
LONG = int(os.environ.get("ANYINPUT_EXAMPLES", "0"))


def examples(count: int) -> settings:
    """Settings of a property test of so many examples."""
    return settings(
        max_examples=max(LONG, count),
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


# Written by every request that has a session or a key, and by nothing that matters.
UNTOUCHED_BY_FACT = {"django_session", "orders_apikey", "accounts_staffsession"}


def prints(*, but: set[str] | frozenset[str] = frozenset()) -> dict[str, str]:
    """A digest of every table that the active tenant sees, by name."""
    names = [
        name
        for name in connection.introspection.table_names()
        if name not in but | UNTOUCHED_BY_FACT
    ]
    parts = [
        f"SELECT '{name}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
        f' FROM "{name}" t'
        for name in names
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside is rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def no_crash(answer: Any) -> Any:
    """The answer, which is neither a server error nor a stack trace."""
    assert answer.status_code < 500, (answer.status_code, answer.content[-2_000:])
    assert b"Traceback (most recent call last)" not in answer.content
    return answer
