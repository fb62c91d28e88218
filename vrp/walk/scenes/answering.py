"""Artisans answer on their phones; what is declined is offered again."""

import re

from vrp.walk.actors.artisan import REPLIES_PER_HOUR, UssdCall
from vrp.walk.problem import check
from vrp.walk.scenes.planning import expect_offers, proposals, propose, release
from vrp.walk.tour import Lot, Tour

YES = {"en": "YES", "sw": "NDIO"}


def answers_come(tour: Tour) -> None:
    """All accept by USSD or SMS, but one, who declines with a reason."""
    tour.show.chapter("3. Artisans answer on their phones")
    declining = who_declines(tour.lots)
    by_sms = least_answered([lot for lot in tour.lots if lot is not declining])
    told = False
    for lot in list(tour.lots):
        if lot is declining:
            decline(tour, lot)
        elif lot is by_sms:
            say_yes(tour, lot)
            expect_yes(tour, lot)
        else:
            accept(tour, lot, in_full=not told)
            told = True


def who_declines(lots: list[Lot]) -> Lot:
    """The last of the first component's: it leaves a shortage of one lot."""
    return [lot for lot in lots if lot.component == lots[0].component][-1]


def open_offer(ussd: UssdCall, lot: Lot) -> None:
    """From the start to the offer of this job; one alone is shown at once."""
    ussd.pick("offers")
    if not ussd.screen.text.startswith(f"{lot.job} "):
        ussd.choose(f"{lot.job} ")
    check(
        str(lot.job) in ussd.screen.text,
        f"{lot.artisan.code} does not see job {lot.job}: {ussd.screen.text!r}",
    )


def accept(tour: Tour, lot: Lot, *, in_full: bool = False) -> None:
    """Accept by USSD; ``in_full`` shows each screen."""
    show, ussd = tour.show, lot.artisan.dial()
    if in_full:
        show.step(str(lot.artisan), f"dials {tour.facts.ussd_code}.")
        show.phone(lot.artisan.code, "USSD", ussd.screen.text, "1")
    open_offer(ussd, lot)
    if in_full:
        show.phone(lot.artisan.code, "USSD", ussd.screen.text, "1")
    ussd.pick("accept")
    if in_full:
        show.phone(lot.artisan.code, "USSD", ussd.screen.text, "1")
    ussd.pick("yes")
    last = ussd.screen
    check(
        not last.is_open and str(lot.job) in last.text,
        f"{lot.artisan.code} accepted job {lot.job} and read {last.text!r}",
    )
    check(
        ussd.repeat().text == last.text,
        "The carrier repeated the last request and got another answer.",
    )
    lot.state = "accepted"
    show.step(
        str(lot.artisan), f"accepts job {lot.job}: {lot.quantity} {lot.component}."
    )
    show.phone(lot.artisan.code, "USSD", last.text)


def least_answered(lots: list[Lot]) -> Lot | None:
    """Whose phone may best take another automatic reply; None if nobody's."""
    if not lots:
        return None
    counts = {lot.job: lot.artisan.replies_lately() for lot in lots}
    best = min(reversed(lots), key=lambda lot: counts[lot.job])
    return best if counts[best.job] < REPLIES_PER_HOUR else None


def say_yes(tour: Tour, lot: Lot) -> None:
    """Accept by a reply to the offer's SMS."""
    text = f"{YES[lot.artisan.line.language]} {lot.job}"
    lot.artisan.reply(text)
    tour.show.step(str(lot.artisan), f"answers by SMS: {text}")


def expect_yes(tour: Tour, lot: Lot) -> None:
    """Wait for the SMS that confirms it; it comes once."""
    sms = tour.wait(
        f"waiting for the answer to {lot.artisan.code}",
        lambda: [
            one
            for one in lot.artisan.sms(str(lot.job))
            if re.match("Accepted|Umekubali", one["text"])
        ],
    )
    check(len(sms) == 1, f"{lot.artisan.code} was answered {len(sms)} times.")
    lot.state = "accepted"
    tour.show.phone(lot.artisan.code, f"SMS {sms[0]['from']}", sms[0]["text"])


def decline(tour: Tour, lot: Lot) -> None:
    """Decline by USSD: too much work."""
    ussd = lot.artisan.dial()
    open_offer(ussd, lot)
    ussd.pick("decline")
    shown, typed = ussd.screen.text, ussd.pick("too much work")
    check(
        not ussd.screen.is_open and str(lot.job) in ussd.screen.text,
        f"{lot.artisan.code} declined job {lot.job} and read {ussd.screen.text!r}",
    )
    lot.state = "declined"
    tour.show.step(
        str(lot.artisan), f"declines job {lot.job} with a reason: too much work."
    )
    tour.show.phone(lot.artisan.code, "USSD", shown, typed)


def short_pieces_are_offered_again(tour: Tour) -> None:
    """What was declined is short; one click offers it to the next best workshop."""
    show = tour.show
    gone = [lot for lot in tour.lots if lot.state == "declined"]
    short = sum(lot.quantity for lot in gone)
    show.chapter("4. What is short is offered again")
    planner = tour.person("planner")
    page = planner.open(tour.page)
    form = page.form(r"/ops/orders/\d+/reoffer/")
    show.step(planner.name, f"sees that {short} {gone[0].component} are short again.")
    before = {lot.artisan.code for lot in gone}
    plan = propose(tour, form, {})
    release(tour, plan)
    lots = expect_offers(tour, proposals(plan))
    check(
        sum(lot.quantity for lot in lots) == short,
        f"{short} pieces were short, {sum(lot.quantity for lot in lots)} are offered.",
    )
    again = before & {lot.artisan.code for lot in lots}
    check(not again, f"The re-offer went to {', '.join(again)}, who had declined it.")
    for lot in lots:
        accept(tour, lot)
    tour.lots += lots
    order = tour.buyer.order(tour.order_id)
    check(
        order["lines"][0]["accepted"] == tour.quantity,
        f"{order['lines'][0]['accepted']} of {tour.quantity} necklaces are accepted.",
    )
    show.step(
        tour.buyer.name,
        f"reads by API: all {tour.quantity} accepted, state {order['state']}.",
    )
