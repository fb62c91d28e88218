"""Playing one story: each step is repeated until it is seen to be done."""

from __future__ import annotations

import re
from typing import Any

from bench.faults.house import House
from bench.faults.journal import Journal, Told, Work, insist
from bench.faults.people import PATIENCE, Desk, Phone, Shop
from bench.faults.script import Answer, Fate, Story, Until
from vrp.walk.facts import Facts
from vrp.walk.pages import Form, Page
from vrp.walk.problem import NotRight
from vrp.walk.scenes.planning import proposals

RELEASE = r"/ops/plans/\d+/release/"
BATCH = r"/ops/batches/(\d+)/"
ADVANCE, SHIP = r"/ops/lines/\d+/advance/", r"/ops/orders/\d+/ship/"
STAGES = ("assembled", "finished", "packed")


class Player:
    """One thread's people: each has a desk, a phone or an API key of their own."""

    def __init__(self, house: House, facts: Facts, journal: Journal) -> None:
        self.house, self.facts, self.journal = house, facts, journal
        self.shop = Shop(facts, journal)
        self._desks: dict[str, Desk] = {}
        self._phones: dict[str, Phone] = {}

    def desk(self, role: str) -> Desk:
        """The person with this role."""
        if role not in self._desks:
            self._desks[role] = Desk(self.facts, role, self.journal)
        return self._desks[role]

    def phone(self, code: str) -> Phone:
        """The workshop's phone."""
        if code not in self._phones:
            line = self.facts.workshops[code]
            self._phones[code] = Phone(self.facts, line, self.journal)
        return self._phones[code]

    def play(self, told: Told) -> None:
        """Take the order as far as its story says; ``told`` fills on the way."""
        try:
            self._play(told, told.story)
            told.finished = True
            self.journal.note(told.story.po, f"story told: {told.story.until}")
        except Exception as error:
            told.problem = f"{type(error).__name__}: {error}"
            self.journal.note(told.story.po, f"STORY BROKE OFF: {told.problem}")

    def _play(self, told: Told, story: Story) -> None:
        told.order_id = self.shop.place(story.po, story.sku, story.quantity)
        told.state = "placed"
        if story.until == Until.PLACED:
            return
        told.page = self._find(story)
        if story.until == Until.CANCELLED:
            self._cancel(told)
            return
        plan = self._plan(told)
        if story.until == Until.PLANNED:
            return
        self._release(told, plan)
        self._answer(told)
        if story.until == Until.ANSWERED:
            return
        for work in _taken(told):
            phone = self.phone(work.code)
            phone.report(story.po, work)
            work.state = "in_progress"
            phone.book(story.po, work, work.quantity)
        if story.until == Until.BOOKED:
            return
        for work in _taken(told):
            self._receive(told, work)
        if story.until == Until.RECEIVED:
            return
        for work in _taken(told):
            self._grade(told, work)
        if story.until == Until.SHIPPED:
            self._ship(told)

    # -- the planner -----------------------------------------------------------------

    def _find(self, story: Story) -> str:
        planner = self.desk("planner")

        def attempt() -> str:
            page = planner.open("/ops/orders/", q=story.po)
            links = page.links(r"/ops/orders/(\d+)/")
            return links[0][0][0] if links else ""

        found: str = planner.insist(story.po, "is on the orders page", attempt)
        return found

    def _cancel(self, told: Told) -> None:
        planner = self.desk("planner")

        def attempt() -> bool:
            form = planner.form(planner.open(told.page), r"/ops/orders/\d+/cancel/")
            if form is None:
                return True
            planner.submit(form, {"reason": "A trial"})
            return False

        planner.insist(told.story.po, "cancelled", attempt)
        told.state = "cancelled"

    def _plan(self, told: Told) -> str:
        """Ask for a plan and wait until it is there; returns its page's path."""
        planner, po = self.desk("planner"), told.story.po
        asked = ""

        def attempt() -> str:
            nonlocal asked
            if not asked:
                start = told.page + "plan/"
                form = planner.form(planner.open(start), r"/ops/orders/\d+/plan/")
                if form is None:
                    raise NotRight("no form to plan with")
                page = planner.submit(form)
                if not re.fullmatch(r"/ops/plans/\d+/", page.path):
                    raise NotRight(f"planning led to {page.path}")
                asked = page.path
            page = planner.open(asked)
            if planner.form(page, RELEASE) and proposals(page):
                return asked
            if re.search(r"\bfailed\b", page.title, re.IGNORECASE):
                self.journal.note(po, f"{asked} failed; asks again")
                asked = ""
            return ""

        found: str = planner.insist(po, "planned", attempt)
        return found

    def _release(self, told: Told, plan: str) -> None:
        planner, po = self.desk("planner"), told.story.po

        def attempt() -> bool:
            page = planner.open(plan)
            form = planner.form(page, RELEASE)
            if form is None:
                return True
            told.proposed = proposals(page)
            planner.submit(form)
            return False

        planner.insist(po, "released", attempt)
        told.state = "in_production"

        def jobs() -> list[Work]:
            return _jobs_of(planner.open(told.page))

        found: list[Work] = planner.insist(po, "has its jobs", jobs)
        found.sort(key=lambda work: work.number)
        for place, work in enumerate(found):
            work.fate = told.story.fate(place)
            work.quantity = work.offered - work.fate.left_out
        told.jobs = found

    # -- workshops ---------------------------------------------------------------------

    def _answer(self, told: Told) -> None:
        for work in told.jobs:
            if work.fate.answer == Answer.NONE:
                work.quantity = work.offered
            elif work.fate.answer == Answer.SILENCE:
                self._let_time_pass(told, work)
                work.state, work.quantity = "lapsed", work.offered
            else:
                self.phone(work.code).answer(told.story.po, work)
                work.state = "accepted" if work.fate.taken else "declined"

    def _let_time_pass(self, told: Told, work: Work) -> None:
        """A day goes by: the one thing that is not done through an edge."""

        def attempt() -> bool:
            try:
                with self.house.cursor() as cursor:
                    cursor.execute(
                        "UPDATE orders_job SET expires_at = now() WHERE id = %s",
                        [work.pk],
                    )
            except Exception as error:
                raise NotRight(f"database away: {type(error).__name__}") from error
            return True

        what = f"nobody answers job {work.number} for a day"
        insist(self.journal, told.story.po, what, attempt, seconds=PATIENCE)

    # -- headquarters --------------------------------------------------------------------

    def _receive(self, told: Told, work: Work) -> None:
        officer, counted = self.desk("qc"), work.quantity - work.fate.missing

        def attempt() -> bool:
            page = officer.open(f"/ops/jobs/{work.pk}/")
            if page.links(BATCH):
                return True
            links = page.links(r"/ops/deliveries/(\d+)/")
            if not links:
                raise NotRight(f"job {work.number} has no delivery")
            form = officer.form(officer.open(links[0][0][0]), r"/ops/deliveries/\d+/")
            if form is not None:
                counts = [name for name in form.names() if name.startswith("count-")]
                officer.submit(form, {counts[0]: str(counted)})
            return False

        officer.insist(told.story.po, f"counts {counted} of {work.number}", attempt)
        work.delivered, work.told_short = counted, work.fate.missing
        work.state = "in_progress" if work.fate.missing else "delivered"

    def _grade(self, told: Told, work: Work) -> None:
        fate, counted = work.fate, work.delivered
        good = counted - fate.rework - fate.scrap
        self._grade_batch(told, work, 1, good, fate.b, fate.rework, fate.scrap)
        if fate.rework and fate.mended:
            self._return(told, work)
            self._grade_batch(told, work, 2, fate.rework, 0, 0, 0)
        left = fate.rework if not fate.mended else 0
        if work.state == "delivered" and not left:
            work.state = "done"

    def _grade_batch(
        self,
        told: Told,
        work: Work,
        turn: int,
        good: int,
        b: int,
        rework: int,
        scrap: int,
    ) -> None:
        """Grade the job's n-th batch: ``good`` pieces of which ``b`` are B."""
        officer = self.desk("qc")

        def attempt() -> bool:
            links = officer.open(f"/ops/jobs/{work.pk}/").links(BATCH)
            pages = sorted(int(match[1]) for match, _ in links)
            if len(pages) < turn:
                raise NotRight(f"batch {turn} of job {work.number} is not there")
            page = officer.open(f"/ops/batches/{pages[turn - 1]}/")
            form = officer.form(page, BATCH)
            if form is None:
                return True
            values: dict[str, str | list[str]] = {"aa": str(good - b), "a": "0"}
            for grade, count in (("b", b), ("rework", rework), ("scrap", scrap)):
                if count:
                    values |= _row(form, grade, count)
            officer.submit(form, values)
            return False

        what = f"grades job {work.number}: {good} good, {rework} rework, {scrap} scrap"
        officer.insist(told.story.po, what, attempt)
        work.graded.append((good, rework, scrap))
        work.good += good
        work.scrapped += scrap

    def _return(self, told: Told, work: Work) -> None:
        officer = self.desk("qc")

        def attempt() -> bool:
            if len(officer.open(f"/ops/jobs/{work.pk}/").links(BATCH)) > 1:
                return True
            page = officer.open("/ops/rework/", q=work.code)
            for form in page.forms(r"/ops/rework/\d+/return/"):
                if re.search(rf"\bjob {work.number}\b", form.node.row.text, re.I):
                    officer.submit(form, {"counted": str(work.fate.rework)})
            return False

        officer.insist(told.story.po, f"takes back mended of {work.number}", attempt)

    def _ship(self, told: Told) -> None:
        keeper, po = self.desk("qc"), told.story.po
        told.state = "ready"

        def advance() -> bool:
            """One step of one line at a time, until it can be shipped."""
            page = keeper.open("/ops/assembly/")
            if _own(page, SHIP, po):
                return True
            form = _own(page, ADVANCE, po)
            if form is None:
                raise NotRight(f"the assembly page offers nothing for {po}")
            pressed = [value for name, value, _ in form.buttons if name == "stage"]
            keeper.submit(form, {"stage": pressed[0]})
            return False

        keeper.insist(po, "assembled, finished and packed", advance, pause=0.1)

        def ship() -> bool:
            if self.shop.state(told.order_id) == "shipped":
                return True
            form = _own(keeper.open("/ops/assembly/"), SHIP, po)
            if form is not None:
                values: dict[str, Any] = {"carrier": "DHL", "tracking": po}
                keeper.submit(form, values | {"cartons": "1"})
            return False

        keeper.insist(po, "shipped", ship)
        told.state = "shipped"


def _taken(told: Told) -> list[Work]:
    return [work for work in told.jobs if work.fate.taken]


def _jobs_of(page: Page) -> list[Work]:
    """The order page's table of jobs."""
    found = []
    rows = [row for table in page.top.having("id", "jobs") for row in table.all("tr")]
    for row in rows:
        links = [one for one in row.all("a") if "/jobs/" in one.attrs.get("href", "")]
        code = re.search(r"\bW-\d+\b", row.text)
        pieces = re.search(r"\b(\d+) offered", row.text)
        if links and code and pieces:
            pk = int(re.findall(r"\d+", links[0].attrs["href"])[-1])
            number = int(links[0].text)
            found.append(Work(pk, number, code[0], int(pieces[1]), Fate()))
    return found


def _own(page: Page, pattern: str, po: str) -> Form | None:
    """This order's form on the assembly board."""
    for form in page.forms(pattern):
        node = form.node
        while node.parent is not None and "tile" not in node.attrs.get("class", ""):
            node = node.parent
        if po in node.text:
            return form
    return None


def _row(form: Form, grade: str, count: int) -> dict[str, str | list[str]]:
    """The first row of a grade that needs a defect, with the first defect there is."""
    rows = sum(1 for name, _ in form.fields if name == f"{grade}_count")
    selects = (
        one for one in form.node.all("select") if one.attrs["name"] == f"{grade}_defect"
    )
    codes = [option.attrs.get("value", "") for option in next(selects).all("option")]
    code = next(code for code in codes if code)
    rest = [""] * (rows - 1)
    return {
        f"{grade}_count": [str(count), *rest],
        f"{grade}_defect": [code, *rest],
    }
