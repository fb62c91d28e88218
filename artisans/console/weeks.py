"""The next weeks of one workshop: what it can make, what is promised, when it pauses."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from matching.capacity import Calendar

WEEKS = 8
DAYS = 7


@dataclass(frozen=True)
class Week:
    """Seven days from ``starts_on``: pieces it can make, and how many are taken.

    ``paused`` says that no piece can be made in it; ``reason`` is what was told us.
    """

    starts_on: date
    capacity: int
    taken: int
    paused: bool
    reason: str = ""

    @property
    def free(self) -> int:
        return self.capacity - self.taken


def weeks_of(calendar: Calendar, count: int = WEEKS) -> list[Week]:
    """Promised pieces fill the coming weeks in order, as early as they can be made."""
    left = sum(pieces for _, pieces in calendar.load)
    drawn = []
    for number in range(count):
        start = calendar.today + timedelta(days=number * DAYS)
        capacity = calendar.can_make(start + timedelta(days=DAYS)) - calendar.can_make(
            start
        )
        taken = min(capacity, left)
        left -= taken
        drawn.append(
            Week(
                starts_on=start + timedelta(days=1),
                capacity=capacity,
                taken=taken,
                paused=capacity == 0,
                reason=_reason(calendar, start),
            )
        )
    return drawn


def _reason(calendar: Calendar, start: date) -> str:
    """Why the week differs from the usual one."""
    end = start + timedelta(days=DAYS)
    for period in reversed(calendar.periods):
        if period.starts_on <= end and period.ends_on > start:
            return period.reason
    return ""


def drawn_weeks(calendar: Calendar) -> list[dict[str, Any]]:
    """Weeks with the lengths that the template draws, as shares of the fullest one."""
    weeks = weeks_of(calendar)
    top = max([calendar.weekly, *(week.capacity for week in weeks)]) or 1
    return [
        {
            "week": week,
            "capacity_y": _percent(1 - week.capacity / top),
            "capacity_height": _percent(week.capacity / top),
            "taken_y": _percent(1 - week.taken / top),
            "taken_height": _percent(week.taken / top),
        }
        for week in weeks
    ]


def _percent(share: float) -> str:
    return f"{min(max(share, 0.0), 1.0) * 100:.1f}%"


def overbooked(calendar: Calendar) -> int:
    """Pieces promised for a day by which they cannot be made."""
    days = {due for due, _ in calendar.load}
    over = [calendar.promised(day) - calendar.can_make(day) for day in days]
    return max([0, *over])
