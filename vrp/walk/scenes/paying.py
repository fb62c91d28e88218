"""Finance pays what was accepted; one payment times out and is cleared up."""

import re

from vrp.walk.actors.artisan import Artisan
from vrp.walk.pages import Node, Page
from vrp.walk.problem import check
from vrp.walk.tour import Tour

RUN = r"/ops/payouts/(\d+)/"

RECEIPT = re.compile(r"(?:reference|kumbukumbu) (\w+)")


def workshops_are_paid(tour: Tour) -> None:
    """Maker, checker, wallet, receipt; an unknown payment is asked about, not repeated."""
    show = tour.show
    show.chapter("8. Finance pays, two people together")
    people = earners(tour)
    unlucky = people[-1]
    run, total = make_run(tour, people)
    rule = {"do": "queue_timeout_only", "times": 1, "phone": unlucky.phone.lstrip("+")}
    tour.misbehave("wallet", rule)
    show.step(
        "Stand-in",
        f"is told to let the payment to {unlucky.code} time out, unanswered.",
    )
    approve(tour, run, total)
    for artisan in people:
        if artisan is not unlucky:
            expect_paid(tour, artisan, aloud=artisan is tour.heroine.artisan)
    clear_up(tour, run, unlucky)
    _read_on_her_phone(tour, tour.heroine.artisan)


def earners(tour: Tour) -> list[Artisan]:
    """Whoever has earned by this order, the heroine first."""
    return list({lot.artisan.code: lot.artisan for lot in tour.accepted()}.values())


def make_run(tour: Tour, people: list[Artisan]) -> tuple[str, int]:
    """Make a payout run for these workshops; returns its page and whole shillings."""
    show, maker = tour.show, tour.person("finance_maker")
    maker.sign_in()
    form = maker.open("/ops/payouts/new/").form("/ops/payouts/new/")
    boxes = _boxes(form.node, {artisan.code for artisan in people})
    check(
        len(boxes) == len(people),
        f"{len(people)} workshops have earned, {len(boxes)} of them can be ticked.",
    )
    page = maker.submit(form, {"workshop": boxes})
    check(
        re.fullmatch(RUN, page.path),
        f"Making the run led to {page.path}: {' '.join(page.said)}",
    )
    words = f"makes the payout run {page.title.split()[0]} for {len(people)} workshops."
    show.step(maker.name, words)
    total = sum(int(box.partition(":")[2]) for box in boxes) // 100
    show.money(f"KES {total:,} in all")
    return page.path, total


def approve(tour: Tour, run: str, total: int) -> None:
    """The checker types the total; the maker could not."""
    checker = tour.person("finance_checker")
    checker.sign_in()
    form = checker.open(run).form(RUN + "approve/")
    checker.submit(form, {"total": f"{total:,}"})
    tour.show.step(checker.name, f"approves it by typing the total: {total:,}")


def _boxes(form: Node, codes: set[str]) -> list[str]:
    """Values of the boxes of these workshops: ``id:minor units``."""
    found = []
    for field in form.all("input"):
        if field.attrs.get("name") == "workshop":
            words = set(re.findall(r"\bW-\d+\b", field.row.text))
            if words & codes:
                found.append(field.attrs.get("value", ""))
    return found


def expect_paid(tour: Tour, artisan: Artisan, *, aloud: bool) -> None:
    """Money in the wallet and the SMS with the same receipt, each once."""
    promised = sum(lot.pay for lot in tour.accepted() if lot.artisan is artisan)
    money = tour.wait(f"waiting for the money of {artisan.code}", artisan.money)
    got = sum(int(row["amount"]) for row in money)
    check(
        got >= promised,
        f"{artisan.code} earned KES {promised:,} and received KES {got:,}.",
    )
    sms = tour.wait(
        f"waiting for the receipt SMS to {artisan.code}",
        lambda: [one for one in artisan.sms() if RECEIPT.search(one["text"])],
    )
    receipts = [match[1] for one in sms if (match := RECEIPT.search(one["text"]))]
    check(
        sorted(receipts) == sorted(row["receipt"] for row in money),
        f"{artisan.code} was told of receipts {receipts}, the wallet has "
        f"{[row['receipt'] for row in money]}.",
    )
    tour.show.step(
        str(artisan), f"has KES {got:,} in the wallet, receipt {receipts[-1]}."
    )
    if aloud:
        tour.show.phone(artisan.code, f"SMS {sms[-1]['from']}", sms[-1]["text"])
    tour.show.money(f"{artisan.code} received KES {got:,}")


def clear_up(tour: Tour, run: str, artisan: Artisan) -> None:
    """The payment that timed out: unknown, asked about, paid once."""
    show, maker = tour.show, tour.person("finance_maker")
    place = tour.wait(
        f"waiting until the payment to {artisan.code} is unknown",
        lambda: _unknown(maker.open(run), artisan.code),
    )
    show.step(
        maker.name,
        f"sees the payment to {artisan.code} as unknown: not failed, not sent again.",
    )
    page = maker.open(place)
    forms = page.forms(r"/ops/payouts/\d+/payouts/\d+/query/")
    if forms:
        maker.submit(forms[0])
        show.step(maker.name, "asks the wallet what became of it (a status query).")
    tour.wait("waiting for the answer", lambda: not _unclear(maker.open(place)))
    expect_paid(tour, artisan, aloud=False)
    check(
        len(artisan.money()) == 1,
        f"{artisan.code} was paid {len(artisan.money())} times.",
    )
    show.step(maker.name, "reads that it was paid after all, once.")


def _unknown(page: Page, code: str) -> str:
    """The address of the workshop's payment on the run's page while it is unknown."""
    for match, node in page.links(r"/ops/payouts/\d+/payouts/\d+/"):
        if code in node.row.text and re.search(r"\bunknown\b", node.row.text, re.I):
            return match[0]
    return ""


def _unclear(page: Page) -> bool:
    return bool(page.forms(r"/ops/payouts/\d+/payouts/\d+/query/"))


def _read_on_her_phone(tour: Tour, artisan: Artisan) -> None:
    receipt = artisan.money()[-1]["receipt"]
    ussd = artisan.dial()
    ussd.pick("money")
    check(
        receipt in ussd.screen.text,
        f"{artisan.code} was paid ({receipt}) but her phone shows {ussd.screen.text!r}",
    )
    tour.show.step(str(artisan), "looks under Money on her phone.")
    tour.show.phone(artisan.code, "USSD", ussd.screen.text)
