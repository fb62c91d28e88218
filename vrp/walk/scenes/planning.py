"""A planner sees the order, lets the matcher plan it and releases the offers."""

import re
from collections import Counter
from typing import Any

from vrp.walk.pages import Form, Page
from vrp.walk.problem import NotRight, check
from vrp.walk.show import count
from vrp.walk.tour import Lot, Tour

OFFER = re.compile(
    r"Job (?P<job>\d+): (?P<quantity>\d+) (?P<component>\S+) at"
    r"|Kazi (?P<kazi>\d+): (?P<sehemu>\S+) (?P<idadi>\d+) kwa"
)
CODE = re.compile(r"\bW-\d+\b")
RELEASE = r"/ops/plans/\d+/release/"


def planner_releases(tour: Tour) -> None:
    """From the Today page to the offers' SMS."""
    tour.show.chapter("2. A planner matches it to workshops")
    page = propose(tour, find_order(tour), rules_for(tour))
    release(tour, page)
    tour.lots = expect_offers(tour, proposals(page))
    first = tour.lots[0].artisan
    sms = first.sms(str(tour.lots[0].job))[0]
    tour.show.phone(first.code, f"SMS {sms['from']}", sms["text"])


def find_order(tour: Tour) -> Form:
    """Sign in, find the order, and open the form that starts the match."""
    show, planner = tour.show, tour.person("planner")
    today = planner.sign_in()
    show.step(
        planner.name, f"signs in at {tour.facts.url}/ops/ and sees {today.title}."
    )
    page = planner.open("/ops/orders/", q=tour.po)
    links = page.links(r"/ops/orders/(\d+)/")
    check(links, f"The order {tour.po} is not on the orders page.")
    tour.page = links[0][0][0]
    page = planner.open(tour.page)
    check(tour.po in page.main.text, f"The page {tour.page} is not about {tour.po}.")
    show.step(planner.name, f"opens the order {tour.po} at {tour.page}")
    return planner.open(tour.page + "plan/").form(r"/ops/orders/\d+/plan/")


def rules_for(tour: Tour) -> dict[str, str | list[str]]:
    """Lots so large that each component goes to two workshops: one can decline."""
    return {"max_lot": str(max(30, -(-tour.quantity // 2)))}


def propose(tour: Tour, form: Form, rules: dict[str, str | list[str]]) -> Page:
    """Start the match with a form and wait for it; returns the plan's page."""
    show, planner = tour.show, tour.person("planner")
    page = planner.submit(form, rules)
    check(
        re.fullmatch(r"/ops/plans/\d+/", page.path),
        f"Starting the match led to {page.path}: {' '.join(page.said)}",
    )
    show.step(planner.name, f"starts the match: {page.path}")
    page = tour.wait("the matcher works", lambda: _computed(planner.open(page.path)))
    proposed = proposals(page)
    check(proposed, f"{page.path} proposes no job: {page.main.text[:300]}")
    words = ", ".join(f"{code} x{pieces}" for code, pieces in proposed)
    show.step("Matcher", f"proposes {count(len(proposed), 'job')}: {words}.")
    return page


def release(tour: Tour, page: Page) -> None:
    """Release a plan by a double click. From now on the workshops' SMS count."""
    for code, _ in proposals(page):
        tour.artisan(code)
    planner = tour.person("planner")
    planner.repeat(page.form(RELEASE), {})
    tour.show.step(planner.name, "releases the plan (a double click; it counts once).")


def _computed(page: Page) -> Page | None:
    if page.forms(RELEASE):
        return page
    if any("failed" in one.attrs.get("class", "") for one in page.main.all("span")):
        raise NotRight(f"{page.path} failed: {page.main.text[:300]}")
    return None


def proposals(page: Page) -> list[tuple[str, int]]:
    """Workshop code and pieces from the plan page's table of proposed jobs."""
    found = []
    for field in page.main.all("input"):
        pieces = field.attrs.get("value", "")
        if field.attrs.get("name", "").startswith("quantity_") and pieces.isdigit():
            code = CODE.search(field.row.text)
            if code and int(pieces):
                found.append((code[0], int(pieces)))
    return found


def expect_offers(tour: Tour, proposed: list[tuple[str, int]]) -> list[Lot]:
    """Wait until every workshop has the SMS of every job that it was offered, once."""
    known = {lot.job for lot in tour.lots}
    wanted = Counter(code for code, _ in proposed)

    def offers() -> list[Lot]:
        found = [
            lot
            for code in wanted
            for lot in offers_of(tour, code)
            if lot.job not in known
        ]
        return found if len(found) >= len(proposed) else []

    lots: list[Lot] = tour.wait("waiting for the offers' SMS", offers)
    got = sorted((lot.artisan.code, lot.quantity) for lot in lots)
    check(
        got == sorted(proposed),
        f"Proposed were {sorted(proposed)}, offered by SMS {got}.",
    )
    for lot in lots:
        tour.show.step(
            str(lot.artisan),
            f"gets the offer of job {lot.job} by SMS: {lot.quantity} {lot.component}.",
        )
    # Pendants first, as the bill lists them.
    return sorted(lots, key=lambda lot: (lot.component != "HP-01", lot.job))


def offers_of(tour: Tour, code: str) -> list[Lot]:
    """The offers in a workshop's new SMS."""
    artisan = tour.artisan(code)
    lots = []
    for sms in artisan.sms():
        match = OFFER.match(sms["text"])
        if match:
            found: dict[str, Any] = match.groupdict()
            check(
                sms["parts"] == 1,
                f"An offer took {sms['parts']} SMS parts: {sms['text']!r}",
            )
            lots.append(
                Lot(
                    artisan=artisan,
                    job=int(found["job"] or found["kazi"]),
                    component=found["component"] or found["sehemu"],
                    quantity=int(found["quantity"] or found["idadi"]),
                )
            )
    return lots
