"""Headquarters counts what came in and grades every piece."""

import re
from urllib.parse import urlsplit

from vrp.walk.actors.staff import Staff
from vrp.walk.pages import Form, Page
from vrp.walk.problem import NotRight, check
from vrp.walk.scenes.making import book
from vrp.walk.show import count
from vrp.walk.tour import Lot, Tour

PAY = re.compile(r"(?:Pay|Malipo) [\d,]+ = [A-Z]{3} ([\d,]+)")
BATCH = r"/ops/batches/(\d+)/"
# Of the heroine's lot: one does not come, two differ in colour, two are scratched.
MISSING, COLOUR, SCRATCHED = 1, 2, 2


def headquarters_counts_and_grades(tour: Tour) -> None:
    """Receive every delivery, one of them short, and grade every batch."""
    show, officer = tour.show, tour.person("qc")
    show.chapter("6. Headquarters counts and grades")
    officer.sign_in()
    for lot in tour.accepted():
        short = MISSING if lot is tour.heroine else 0
        counted = lot.quantity - short
        batch = receive(tour, officer, lot, counted)
        if lot is tour.heroine:
            _told_of_shortage(tour, lot)
            wanted = {"b": COLOUR, "rework": SCRATCHED}
        else:
            wanted = {}
        grade(tour, officer, lot, batch, counted, **wanted)


def receive(tour: Tour, officer: Staff, lot: Lot, counted: int) -> Page:
    """Count the lot's newest delivery in; returns the page of its batch."""
    number = lot.deliveries[-1]
    found = officer.open("/ops/deliveries/", q=number, state="expected")
    links = [
        match[0]
        for match, node in found.links(r"/ops/deliveries/(\d+)/")
        if re.search(rf"D-0*{number}$", node.text)
    ]
    check(
        links, f"{officer.name} does not find delivery D-{number} among the expected."
    )
    page = officer.open(links[0])
    form = page.form(r"/ops/deliveries/\d+/")
    counts = [name for name in form.names() if name.startswith("count-")]
    check(len(counts) == 1, f"D-{number} has {len(counts)} lines to count, not one.")
    page = officer.repeat(form, {counts[0]: str(counted)})
    batches = page.links(BATCH)
    check(batches, f"D-{number} was received, but no batch is on its page.")
    tour.show.step(
        officer.name,
        f"counts D-{number} from {lot.artisan.code}: {count(counted, 'piece')} "
        "(a double click; it counts once).",
    )
    return officer.open(batches[0][0][0])


def _told_of_shortage(tour: Tour, lot: Lot) -> None:
    number = lot.deliveries[-1]
    sms = tour.wait(
        "waiting for the SMS about the short count",
        lambda: lot.artisan.sms(number, str(lot.job), str(lot.quantity - MISSING)),
    )[-1]
    tour.show.step(str(lot.artisan), f"is told that {MISSING} is missing.")
    tour.show.phone(lot.artisan.code, f"SMS {sms['from']}", sms["text"])


def grade(
    tour: Tour,
    officer: Staff,
    lot: Lot,
    page: Page,
    counted: int,
    *,
    b: int = 0,
    rework: int = 0,
) -> None:
    """Grade a batch twice over (double click); wait for the result SMS and its pay."""
    form = page.form(BATCH)
    good = counted - b - rework
    a = good // 3
    values: dict[str, str | list[str]] = {"aa": str(good - a), "a": str(a)}
    if b:
        values |= _row(form, "b", b, "colour")
    if rework:
        values |= _row(form, "rework", rework, "scratch")
    batch = page.title.split(":")[0]
    officer.repeat(form, values)
    words = [f"{good - a} AA", f"{a} A", f"{b} B", f"{rework} rework"]
    said = ", ".join(word for word in words if not word.startswith("0 "))
    tour.show.step(officer.name, f"grades {batch} of {lot.artisan.code}: {said}.")
    _told_of_grades(tour, lot, batch, rework)


def _row(form: Form, grade: str, count: int, defect: str) -> dict[str, str | list[str]]:
    """The first row of a grade that needs a defect, chosen by its words."""
    rows = sum(1 for name, _ in form.fields if name == f"{grade}_count")
    code = ""
    for select in form.node.all("select"):
        if select.attrs.get("name") == f"{grade}_defect":
            code = next(
                (
                    option.attrs.get("value", "")
                    for option in select.all("option")
                    if defect in option.text
                ),
                "",
            )
            break
    if not code:
        raise NotRight(f"No defect with the word {defect} can be chosen for {grade}.")
    rest = [""] * (rows - 1)
    return {
        f"{grade}_count": [str(count), *rest],
        f"{grade}_defect": [code, *rest],
    }


def _told_of_grades(tour: Tour, lot: Lot, batch: str, rework: int) -> None:
    sms = tour.wait(
        f"waiting for the result SMS to {lot.artisan.code}",
        lambda: lot.artisan.sms(batch + ":"),
    )
    check(len(sms) == 1, f"{lot.artisan.code} was told of {batch} {len(sms)} times.")
    found = PAY.search(sms[0]["text"])
    if found is None:
        raise NotRight(f"The result SMS names no pay: {sms[0]['text']!r}")
    pay = int(found[1].replace(",", ""))
    lot.pay += pay
    if lot is tour.heroine:
        tour.show.phone(lot.artisan.code, f"SMS {sms[0]['from']}", sms[0]["text"])
    tour.show.money(f"{lot.artisan.code} earns KES {pay:,}")


def missing_and_mended_pieces_come(tour: Tour) -> None:
    """The missing piece is brought; the scratched ones return mended and pass."""
    show, officer, lot = tour.show, tour.person("qc"), tour.heroine
    show.chapter("7. The missing and the mended pieces come")
    book(tour, lot, MISSING, aloud=False)
    page = receive(tour, officer, lot, MISSING)
    grade(tour, officer, lot, page, MISSING)
    page = officer.open("/ops/rework/", q=lot.artisan.code)
    forms = [
        form
        for form in page.forms(r"/ops/rework/\d+/return/")
        if re.search(rf"\bjob {lot.job}\b", form.node.row.text, re.IGNORECASE)
    ]
    check(forms, f"The rework of job {lot.job} is not on the rework page.")
    page = officer.submit(forms[0], {"counted": str(SCRATCHED)})
    check(
        re.fullmatch(BATCH, urlsplit(page.url).path),
        f"Taking rework back led to {page.path}: {' '.join(page.said)}",
    )
    show.step(officer.name, f"takes the {SCRATCHED} mended pieces back.")
    grade(tour, officer, lot, page, SCRATCHED)
    order = tour.buyer.order(tour.order_id)
    check(
        order["lines"][0]["good"] == tour.quantity,
        f"{order['lines'][0]['good']} of {tour.quantity} necklaces have all parts good.",
    )
    show.step(
        tour.buyer.name,
        f"reads by API: parts for all {tour.quantity} passed inspection.",
    )
