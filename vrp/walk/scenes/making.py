"""Workshops make their lots, say how far they are, and book their deliveries."""

import re

from vrp.walk.problem import check
from vrp.walk.tour import Lot, Tour

DONE = {"en": "DONE", "sw": "FANYA"}
BOOKED = re.compile(r"D-0*(\d+)")


def workshops_make_and_deliver(tour: Tour) -> None:
    """Each reports all pieces by SMS, then books a delivery by USSD."""
    tour.show.chapter("5. They make the parts and book a delivery")
    for lot in tour.accepted():
        report(tour, lot, lot.quantity, aloud=lot is tour.heroine)
    for lot in tour.accepted():
        book(tour, lot, lot.quantity, aloud=lot is tour.heroine)


def report(tour: Tour, lot: Lot, made: int, *, aloud: bool) -> None:
    """Report progress by SMS and wait for the reply."""
    text = f"{DONE[lot.artisan.line.language]} {lot.job} {made}"
    lot.artisan.reply(text)
    count = f"{made}/{lot.quantity}"
    sms = tour.wait(
        f"waiting for the reply to {lot.artisan.code}",
        lambda: lot.artisan.sms(str(lot.job), count),
    )[-1]
    tour.show.step(str(lot.artisan), f"reports by SMS: {text}")
    if aloud:
        tour.show.phone(lot.artisan.code, f"SMS {sms['from']}", sms["text"])


def book(tour: Tour, lot: Lot, pieces: int, *, aloud: bool) -> str:
    """Book a delivery by USSD; returns its number's digits, kept in the lot."""
    ussd = lot.artisan.dial()
    ussd.pick("deliver")
    ussd.choose(f"{lot.job} ")
    check(ussd.screen.is_open, f"{lot.artisan.code} cannot book: {ussd.screen.text!r}")
    ussd.type(str(pieces))
    shown = ussd.screen.text
    days = ussd.screen.options()
    check(days, f"{lot.artisan.code} is offered no day: {shown!r}")
    ussd.type(days[0])
    found = BOOKED.search(ussd.screen.text)
    check(
        found and not ussd.screen.is_open,
        f"{lot.artisan.code} booked a delivery and read {ussd.screen.text!r}",
    )
    lot.deliveries.append(found[1] if found else "")
    tour.show.step(
        str(lot.artisan), f"books delivery D-{lot.deliveries[-1]} of {pieces} by USSD."
    )
    if aloud:
        tour.show.phone(lot.artisan.code, "USSD", shown, days[0])
        tour.show.phone(lot.artisan.code, "USSD", ussd.screen.text)
    return lot.deliveries[-1]
