"""Two people of finance, and what they do all day: make runs, approve, clear up.

Only the workshops on their list are paid, so that what the others earned stays owed.
Before a payment is declared not paid, the wallet's own statement is read.
"""

from __future__ import annotations

import re
import threading

import requests

from bench.faults.journal import Journal
from bench.faults.people import Desk, Phone
from vrp.walk.facts import Facts
from vrp.walk.pages import Page
from vrp.walk.problem import NotRight

RUN = r"/ops/payouts/(\d+)/"
PAYOUT = r"/ops/payouts/(\d+)/payouts/(\d+)/"
ABOUT = "finance"
MONEY = re.compile(r"KES ([\d,]+)")


class Finance:
    """Works in a thread of its own until it is told to stop; ``turn`` is one round."""

    def __init__(self, facts: Facts, paid: set[str], journal: Journal) -> None:
        self.facts, self.paid, self.journal = facts, paid, journal
        self.maker = Desk(facts, "finance_maker", journal)
        self.checker = Desk(facts, "finance_checker", journal)
        self.declared: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name=ABOUT, daemon=True)

    def start(self) -> None:
        """Begin the day."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the round that runs."""
        self._over.set()
        self._thread.join(timeout=60)

    def _work(self) -> None:
        while not self._over.wait(2.0):
            self.turn()

    def turn(self) -> bool:
        """One round; False if anything could not be done or is not final yet."""
        steps = (self._start_channel, self._approve, self._make, self._clear_up)
        clean = True
        for step in steps:
            try:
                clean = step() and clean
            except (NotRight, requests.RequestException) as error:
                said = " ".join(str(error).split())[:160]
                self.journal.note(ABOUT, f"{step.__name__}: {said}")
                clean = False
        return clean

    def _start_channel(self) -> bool:
        """A channel that was stopped by a lie of the wallet is started by a person."""
        page = self.maker.open("/ops/payouts/", view="runs")
        form = self.maker.form(page, r"/ops/payouts/channel/start/")
        if form is not None:
            self.maker.submit(form)
            self.journal.note(ABOUT, "starts the stopped channel")
        return form is None

    def _make(self) -> bool:
        page = self.maker.open("/ops/payouts/new/")
        form = self.maker.form(page, r"/ops/payouts/new/")
        boxes = []
        for field in form.node.all("input") if form else []:
            if field.attrs.get("name") == "workshop":
                codes = set(re.findall(r"\bW-\d+\b", field.row.text))
                if codes & self.paid:
                    boxes.append(field.attrs.get("value", ""))
        if form is None or not boxes:
            return True
        made = self.maker.submit(form, {"workshop": list(boxes)})
        self.journal.note(ABOUT, f"makes {made.title[:30]} for {len(boxes)} workshops")
        self._approve()
        return False

    def _approve(self) -> bool:
        """Approve every run that waits, with the total from the checker's own page."""
        page = self.checker.open("/ops/payouts/", view="runs")
        clean = True
        for match, node in page.links(RUN):
            if "waiting for approval" not in node.row.text.lower():
                continue
            clean = False
            run = self.checker.open(match[0])
            form = self.checker.form(run, match[0] + "approve/")
            if form is None:
                continue
            total = MONEY.search(run.title) or MONEY.search(run.main.text)
            self.checker.submit(form, {"total": total[1] if total else ""})
            self.journal.note(ABOUT, f"approves {run.title[:40]}")
        return clean

    def _clear_up(self) -> bool:
        """Ask about what is unknown; declare what is in review and was never paid."""
        page = self.maker.open("/ops/payouts/", view="payments", state="unclear")
        found = page.links(PAYOUT)
        for match, _ in found:
            payment = self.checker.open(match[0])
            form = self.checker.form(payment, match[0] + "not-paid/")
            if form is None:
                mine = self.maker.open(match[0])
                query = self.maker.form(mine, match[0] + "query/")
                if query is not None:
                    self.maker.submit(query)
                continue
            if not self._in_statement(payment):
                self.checker.submit(form, {"note": "Not in the wallet's statement"})
                self.declared.append(match[0])
                self.journal.note(ABOUT, f"declares {match[0]} not paid")
            else:
                query = self.maker.form(self.maker.open(match[0]), match[0] + "query/")
                if query is not None:
                    self.maker.submit(query)
        under_way = self.maker.open(
            "/ops/payouts/", view="payments", state="under_way"
        ).links(PAYOUT)
        return not found and not under_way

    def _in_statement(self, payment: Page) -> bool:
        """Whether the wallet's own list shows our reference."""
        code = re.search(r"\bW-\d+\b", payment.title)
        reference = re.search(
            r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", payment.main.text
        )
        if code is None or reference is None:
            raise NotRight(f"{payment.path} names no workshop or reference")
        phone = Phone(self.facts, self.facts.workshops[code[0]], self.journal)
        return any(row["id"] == reference[0] for row in phone.money())
