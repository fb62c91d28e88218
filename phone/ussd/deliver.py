"""Screens for booking a delivery: what, how many, which day."""

from datetime import date, timedelta

from orders.models import Job
from orders.services.deliveries import book_delivery
from phone import queries, words
from phone.queries import Bringable
from phone.ussd.model import Again, Dial, End, Next, Row, Screen, Values, number_between

ALL = "all"
DAYS_SHOWN = 4


def _rows(dial: Dial) -> list[Row]:
    found = queries.bringable(dial.workshop)
    ready = sum(each.ready for each in found)
    rows = [Row(ALL, dial.say("deliver_all", count=ready))] if ready else []
    return rows + [
        Row(each.job.pk, dial.say("deliver_row", **_values(each))) for each in found
    ]


def _values(each: Bringable) -> Values:
    return {
        "job": each.job.number,
        "component": words.code(each.job.work_order.component.code),
        "count": each.ready,
        "most": each.most,
    }


def _choose(dial: Dial, row: int | str) -> Next:
    if row != ALL:
        dial.data["job"] = row
        return "pieces"
    found = queries.bringable(dial.workshop)
    pieces = {str(each.job.pk): each.ready for each in found if each.ready}
    if not pieces:
        return End("not_open")
    dial.data["pieces"] = pieces
    return "day"


def _chosen(dial: Dial) -> Bringable | None:
    for each in queries.bringable(dial.workshop):
        if each.job.pk == dial.data.get("job"):
            return each
    return None


def _pieces_values(dial: Dial) -> Values | End:
    each = _chosen(dial)
    return End("not_open") if each is None else _values(each)


def _pieces(dial: Dial, answer: str) -> Next:
    each = _chosen(dial)
    if each is None:
        return End("not_open")
    number = number_between(dial, answer, 1, each.most)
    if isinstance(number, Again):
        return number
    dial.data["pieces"] = {str(each.job.pk): number}
    return "day"


def _day_values(dial: Dial) -> Values:
    return {"count": sum(dial.data["pieces"].values())}


def working_days(after: date, count: int) -> list[date]:
    """The next ``count`` days from Monday to Friday after a day."""
    days = (after + timedelta(days=ahead) for ahead in range(1, count * 2 + 7))
    return [day for day in days if day.weekday() < 5][:count]


def _day_rows(dial: Dial) -> list[Row]:
    return [
        Row(day.isoformat(), words.weekday(day, dial.language))
        for day in working_days(dial.today, DAYS_SHOWN)
    ]


def _book(dial: Dial, row: str) -> Next:
    wanted = {int(pk): count for pk, count in dial.data["pieces"].items()}
    jobs = Job.objects.filter(workshop=dial.workshop, pk__in=wanted)
    pieces = {job: wanted[job.pk] for job in jobs}
    booked_for = date.fromisoformat(row)
    delivery = book_delivery(
        workshop=dial.workshop, pieces=pieces, booked_for=booked_for, actor=dial.actor
    )
    day = words.weekday(delivery.booked_for, dial.language)
    values = {"delivery": str(delivery), "count": sum(pieces.values()), "day": day}
    return End("booked", values)


DELIVER = [
    Screen("deliver", rows=_rows, pick=_choose, empty="deliver_none"),
    Screen("pieces", values=_pieces_values, typed=_pieces, back="deliver"),
    Screen("day", values=_day_values, rows=_day_rows, pick=_book, back="deliver"),
]
