"""Workshops make their lots, say how far they are, and book their deliveries."""

import re

from vrp.walk.problem import check
from vrp.walk.scenes.answering import least_answered
from vrp.walk.tour import Lot, Tour

DONE = {"en": "DONE", "sw": "FANYA"}
BOOKED = re.compile(r"D-0*(\d+)")


def workshops_make_and_deliver(tour: Tour) -> None:
    """One reports by SMS, the others by USSD; then all book their deliveries by USSD."""
    tour.show.chapter("5. They make the parts and book a delivery")
    by_sms = least_answered(tour.accepted())
    for lot in tour.accepted():
        if lot is by_sms:
            report_by_sms(tour, lot, lot.quantity)
        else:
            report(tour, lot, lot.quantity)
    for lot in tour.accepted():
        book(tour, lot, lot.quantity, aloud=lot is tour.heroine)


def report_by_sms(tour: Tour, lot: Lot, made: int) -> None:
    """Report progress by SMS and wait for the reply."""
    text = f"{DONE[lot.artisan.line.language]} {lot.job} {made}"
    lot.artisan.reply(text)
    done = f"{made}/{lot.quantity}"
    sms = tour.wait(
        f"waiting for the reply to {lot.artisan.code}",
        lambda: lot.artisan.sms(str(lot.job), done),
    )[-1]
    tour.show.step(str(lot.artisan), f"reports by SMS: {text}")
    tour.show.phone(lot.artisan.code, f"SMS {sms['from']}", sms["text"])


def report(tour: Tour, lot: Lot, made: int) -> None:
    """Report progress by USSD; a job alone is asked about at once."""
    ussd = lot.artisan.dial()
    ussd.pick("progress")
    if not ussd.screen.text.startswith(f"{lot.job} "):
        ussd.choose(f"{lot.job} ")
    ussd.type(str(made))
    check(
        not ussd.screen.is_open and f"{made}/{lot.quantity}" in ussd.screen.text,
        f"{lot.artisan.code} reported {made} and read {ussd.screen.text!r}",
    )
    tour.show.step(
        str(lot.artisan), f"reports by USSD: {made} of {lot.quantity} are made."
    )


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
