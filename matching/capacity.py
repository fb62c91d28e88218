"""How many pieces a workshop can still make until a day: arithmetic, no database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WEEK = 7


@dataclass(frozen=True)
class Period:
    """Another weekly capacity from ``starts_on`` to ``ends_on``, both included."""

    starts_on: date
    ends_on: date
    pieces_per_week: int
    reason: str = ""


@dataclass(frozen=True)
class Free:
    """What a workshop can take on by a day, and where the number comes from.

    ``pieces`` = ``can_make`` until ``until`` less what is ``promised`` by then. ``until``
    is the due day, or a later one on which promised work leaves less room.
    """

    pieces: int
    can_make: int
    promised: int
    until: date


@dataclass(frozen=True)
class Calendar:
    """One workshop's capacity by day, and the work it has promised.

    ``weekly`` is the stated capacity in pieces, ``periods`` other capacities in the
    order in which they were entered (the last one counts), ``load`` pieces still to make
    by due day, and ``today`` the day that has begun already: work starts tomorrow.
    """

    today: date
    weekly: int
    periods: Sequence[Period] = ()
    load: Sequence[tuple[date, int]] = ()

    def rate_on(self, day: date) -> int:
        """Pieces a week on that day."""
        for period in reversed(self.periods):
            if period.starts_on <= day <= period.ends_on:
                return period.pieces_per_week
        return self.weekly

    def can_make(self, until: date) -> int:
        """Pieces from tomorrow to ``until``, that day included."""
        days = max((until - self.today).days, 0)
        if not any(one.ends_on > self.today for one in self.periods):
            return self.weekly * days // WEEK
        rates = (self.rate_on(day) for day in self._days(days))
        return sum(rates) // WEEK

    def promised(self, until: date) -> int:
        """Pieces of open jobs due by ``until``, overdue ones included."""
        return sum(pieces for due, pieces in self.load if due <= until)

    def free_by(self, due: date) -> Free:
        """Pieces it can take on for ``due`` and still keep every promise it made.

        Work promised for a later day needs room until then too, so the tightest day
        from ``due`` on decides.
        """
        checks = sorted({due, *(day for day, _ in self.load if day > due)})
        best: Free | None = None
        for day in checks:
            can_make, promised = self.can_make(day), self.promised(day)
            room = max(can_make - promised, 0)
            if best is None or room < best.pieces:
                best = Free(room, can_make, promised, day)
        return best or Free(0, 0, 0, due)

    def pause_until(self, due: date) -> Period | None:
        """The pause that leaves no day to work before ``due``, if there is one."""
        days = self._days(max((due - self.today).days, 0))
        pause = None
        for day in days:
            if self.rate_on(day):
                return None
            pause = pause or next(
                (
                    one
                    for one in reversed(self.periods)
                    if one.starts_on <= day <= one.ends_on
                ),
                None,
            )
        return pause

    def open_share(self, days: int) -> tuple[float | None, int]:
        """Share of the next ``days`` that no job has taken, and days open for work.

        None when every day is a pause: a pause is no mark against anybody.
        """
        until = self.today + timedelta(days=days)
        open_days = sum(1 for day in self._days(days) if self.rate_on(day))
        can_make = self.can_make(until)
        if not can_make:
            return None, open_days
        return max(1.0 - self.promised(until) / can_make, 0.0), open_days

    def _days(self, count: int) -> Iterable[date]:
        return (self.today + timedelta(days=number) for number in range(1, count + 1))
