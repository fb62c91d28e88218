"""Those around the system: artisans by phone, staff at desks, the buyer's system.

They reach it only as in life (phones through the carrier's stand-in), and act on what
they see: who gets no answer looks again and repeats what is not done.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.faults.journal import Journal, Work, insist
from vrp.walk.actors.artisan import LABELS, MORE, OPTION, Screen
from vrp.walk.actors.staff import Staff
from vrp.walk.facts import Facts, Line
from vrp.walk.pages import Form, Page
from vrp.walk.problem import NotRight
from vrp.walk.web import call, json_of, new_session

PATIENCE = 150.0
YES = {"en": "YES", "sw": "NDIO"}
NO = {"en": "NO", "sw": "HAPANA"}
TROUBLE = ("Something went wrong", "Kuna hitilafu", "Connection problem")
PART = ("Part", "Sehemu")


class Trouble(NotRight):
    """The phone shows an error: dial again."""


class Dial:
    """One USSD call through the carrier."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._session = ""
        self.screen = self._turn({"code": phone.facts.ussd_code})

    def _turn(self, body: dict[str, Any]) -> Screen:
        body |= {"phone": self._phone.line.phone}
        if self._session:
            body["session"] = self._session
        url = self._phone.facts.standin_url + "/_ussd"
        said = json_of(call(self._phone.web, "POST", url, json=body))
        self._session = said["session"]
        if said["problem"] or any(word in said["screen"] for word in TROUBLE):
            raise Trouble(f"the phone shows {said['problem'] or said['screen']!r}")
        return Screen(str(said["reply"])[4:], bool(said["open"]))

    def type(self, answer: str) -> Screen:
        """Type one answer."""
        self.screen = self._turn({"answer": answer})
        return self.screen

    def find(self, *labels: str) -> bool:
        """Choose what begins so, turning pages; False if nothing does."""
        for _ in range(20):
            rows = [OPTION.fullmatch(row) for row in self.screen.text.splitlines()]
            digits = [row[1] for row in rows if row and row[2].startswith(labels)]
            if digits and self.screen.is_open:
                self.type(digits[0])
                return True
            if not self.screen.is_open or not self.screen.option("More", "Zaidi"):
                return False
            self.type(MORE)
        return False

    def pick(self, choice: str) -> None:
        """Choose one of the walk's labels. Raises ``Trouble`` if it is not there."""
        if not self.find(*LABELS[choice]):
            raise Trouble(f"no {choice} on {self.screen.text!r}")

    def job(self, number: int) -> bool:
        """From a list to the job; True at once if it is shown alone."""
        alone = self.screen.text.startswith(f"{number} ")
        return self.screen.is_open and (alone or self.find(f"{number} "))


class Phone:
    """A workshop's feature phone."""

    def __init__(self, facts: Facts, line: Line, journal: Journal) -> None:
        self.facts, self.line, self.journal = facts, line, journal
        self.web = new_session()

    def offer(self, number: int) -> Dial | None:
        """Dial and open an offer; None if it does not stand (any more)."""
        dial = Dial(self)
        dial.pick("offers")
        return dial if dial.job(number) else None

    def holds(self, number: int) -> bool:
        """Whether the job is among hers, as her phone shows it."""
        dial = Dial(self)
        return dial.find("My jobs", "Kazi zangu") and dial.job(number)

    def answer(self, po: str, work: Work) -> None:
        """Accept, take a part, or decline; until her phone no longer shows the offer."""
        what = f"{self.line.code}: {work.fate.answer} job {work.number}"
        if work.fate.by_sms and work.fate.answer != "part":
            self._answer_by_sms(po, work, what)
        else:
            self._insist(po, what, lambda: self._answer_by_ussd(work))

    def _answer_by_ussd(self, work: Work) -> bool:
        dial = self.offer(work.number)
        if dial is None:
            return True
        if work.fate.answer == "decline":
            dial.pick("decline")
            dial.pick("too much work")
        elif work.fate.answer == "part":
            if not dial.find(*PART):
                raise Trouble(f"no part on {dial.screen.text!r}")
            dial.type(str(work.quantity))
            dial.pick("yes")
        else:
            dial.pick("accept")
            dial.pick("yes")
        # Believed only when the offer is gone on the next look.
        return self.offer(work.number) is None

    def _answer_by_sms(self, po: str, work: Work, what: str) -> None:
        words = NO if work.fate.answer == "decline" else YES
        text = f"{words[self.line.language]} {work.number}"
        body = {"from": self.line.phone, "to": self.facts.sms_sender, "text": text}
        url = self.facts.standin_url + "/_sms/reply"

        def send() -> bool:
            json_of(call(self.web, "POST", url, json=body))
            work.answered_by_sms += 1
            return True

        self._insist(po, f"{what} by SMS", send)
        self._insist(po, what, lambda: self.offer(work.number) is None, pause=1.5)

    def report(self, po: str, work: Work) -> None:
        """Say that all is made; the same number again changes nothing."""

        def attempt() -> bool:
            dial = Dial(self)
            dial.pick("progress")
            if not dial.job(work.number):
                raise Trouble(f"job {work.number} is not on {dial.screen.text!r}")
            dial.type(str(work.quantity))
            return f"{work.quantity}/{work.quantity}" in dial.screen.text

        self._insist(po, f"{self.line.code}: all of job {work.number} made", attempt)

    def book(self, po: str, work: Work, pieces: int) -> None:
        """Book a delivery of the job; until nothing of it is left to bring."""

        def attempt() -> bool:
            dial = Dial(self)
            dial.pick("deliver")
            if not dial.job(work.number):
                return True
            dial.type(str(pieces))
            days = dial.screen.options()
            if not days:
                raise Trouble(f"no day on {dial.screen.text!r}")
            dial.type(days[0])
            return "D-" in dial.screen.text

        self._insist(po, f"{self.line.code}: books {pieces} of {work.number}", attempt)

    def _insist(self, po: str, what: str, attempt: Any, pause: float = 0.7) -> None:
        insist(self.journal, po, what, attempt, seconds=PATIENCE, pause=pause)

    def received(self) -> list[dict[str, Any]]:
        """Every SMS on this phone."""
        url = self.facts.standin_url + "/_sms"
        query = {"to": self.line.phone}
        found: list[dict[str, Any]] = json_of(call(self.web, "GET", url, params=query))
        return found

    def money(self) -> list[dict[str, Any]]:
        """All money in this wallet, whole shillings."""
        url = self.facts.standin_url + "/_wallet"
        query = {"phone": self.line.phone.lstrip("+")}
        found: list[dict[str, Any]] = json_of(call(self.web, "GET", url, params=query))
        return found


class Desk:
    """One person of the staff in front of one browser."""

    def __init__(self, facts: Facts, role: str, journal: Journal) -> None:
        self._facts, self._role, self.journal = facts, role, journal
        self._staff = Staff(facts, role)

    def open(self, path: str, **query: str) -> Page:
        """Read a page; who was signed out signs in again."""
        try:
            return self._staff.open(path, **query)
        except NotRight as error:
            # Perhaps she is signed in and was not told so.
            if "sign in" in str(error) or "/ops/sign-in/" in str(error):
                self._staff = Staff(self._facts, self._role)
            raise

    def form(self, page: Page, pattern: str) -> Form | None:
        """The page's form to this address, if it has one."""
        found = [one for one in page.forms(pattern) if one.method == "post"]
        return found[0] if found else None

    def submit(
        self, form: Form, values: dict[str, str | list[str]] | None = None
    ) -> Page:
        """Send a form."""
        return self._staff.submit(form, values or {})

    def insist(self, about: str, what: str, attempt: Any, **more: Any) -> Any:
        """Keep at it."""
        more = {"seconds": PATIENCE, **more}
        return insist(self.journal, about, what, attempt, **more)


class Shop:
    """The buyer's own system: repeats a request under its Idempotency-Key."""

    def __init__(self, facts: Facts, journal: Journal) -> None:
        self._api = f"{facts.url}/api/v1"
        self.journal = journal
        self._bearer = {"Authorization": f"Bearer {facts.api_key}"}
        self._web = new_session()
        self._web.headers.update(self._bearer)

    def place(self, po: str, sku: str, quantity: int) -> str:
        """Place an order; returns its id. 409 and 5xx are tried again, as documented."""
        key = secrets.token_hex(12)
        ship_by = datetime.now(UTC).date() + timedelta(days=30)
        body = {
            "po_number": po,
            "ship_by": ship_by.isoformat(),
            "lines": [{"sku": sku, "quantity": quantity}],
        }
        headers = {"Idempotency-Key": key}

        def attempt() -> str:
            url = f"{self._api}/orders"
            answer = call(self._web, "POST", url, headers=headers, json=body)
            return str(json_of(answer)["id"])

        what = f"places {quantity} {sku}"
        placed: str = insist(self.journal, po, what, attempt, seconds=PATIENCE)
        return placed

    def listen(self, url: str) -> str:
        """Register a webhook address for every event; returns the secret."""
        answer = call(self._web, "POST", f"{self._api}/webhooks", json={"url": url})
        return str(json_of(answer)["secret"])

    def state(self, order_id: str) -> str:
        """The order's state as the API tells it."""
        return str(
            json_of(call(self._web, "GET", f"{self._api}/orders/{order_id}"))["state"]
        )
