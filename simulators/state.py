"""All that the stand-ins remember, rebuilt from the journal at every start.

Every change is one journal line, written first and then applied; replaying the lines
gives the same state, so no list can disagree with the journal.
"""

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulators.journal import Journal

Step = dict[str, Any]
LOCKED_AFTER = 5  # wrong security credentials in a row before 8006 (locked)


def now() -> datetime:
    return datetime.now(UTC)


def stamp() -> str:
    """Return this moment as ISO 8601 in UTC with milliseconds."""
    return now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def digits(phone: object) -> str:
    """Return a phone number as its digits only; ``+254 7..`` and ``2547..`` agree."""
    return "".join(char for char in str(phone) if char.isdigit())


@dataclass
class Sms:
    """One message the product sent. ``cost_minor`` is in cents of KES."""

    id: str
    username: str
    sender: str
    to: str
    text: str
    at: str
    parts: int
    cost_minor: int
    reaches: bool  # the phone really gets it
    reports: list[Step] = field(default_factory=list)  # delivery reports still to tell
    told: int = 0


@dataclass
class Inbound:
    """One message a phone sent to the product."""

    id: str
    number: int  # what the inbox calls it
    username: str
    phone: str
    to: str
    text: str
    at: str
    link_id: str
    done: bool = False  # the product answered 200, or the tries are used up


@dataclass
class Payment:
    """One accepted B2C request with the outcome that was decided for it.

    ``amount`` is whole KES. The money is on the phone from ``settles_at`` on.
    """

    originator: str
    conversation: str
    shortcode: str
    initiator: str
    phone: str
    amount: int
    command: str
    occasion: str
    code: str  # "0" paid, otherwise the ResultCode
    receipt: str
    at: str
    settles_at: str
    result_url: str
    timeout_url: str
    echo: dict[str, Any]
    steps: list[Step] = field(default_factory=list)  # callbacks still to make
    told: int = 0

    @property
    def settled(self) -> bool:
        return now() >= datetime.fromisoformat(self.settles_at)

    @property
    def paid(self) -> bool:
        return self.code == "0"


class State:
    """Memory over a journal. ``record_*`` writes and applies; the rest only reads."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.payment_count = 0  # never goes back, so that receipts stay unique
        self.inbound_count = 0
        self._clear()
        for entry in journal.replay():
            self._apply(dict(entry))

    def _clear(self) -> None:
        self.registered: dict[str, dict[str, Any]] = {}
        self.sms: dict[str, Sms] = {}
        self.sms_by_phone: dict[str, list[Sms]] = defaultdict(list)
        self.sms_spent_minor: dict[str, int] = defaultdict(int)
        self.inbound: dict[str, Inbound] = {}
        self.payments: dict[tuple[str, str], Payment] = {}
        self.by_conversation: dict[str, Payment] = {}
        self.by_receipt: dict[str, Payment] = {}
        self.by_phone: dict[str, list[Payment]] = defaultdict(list)
        self._paid_out: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        self.wrong_credentials: dict[str, int] = defaultdict(int)

    def _record(self, kind: str, **data: Any) -> None:
        self.journal.append({"kind": kind, **data})
        self._apply({"kind": kind, **data})

    def _apply(self, entry: dict[str, Any]) -> None:
        getattr(self, "_on_" + entry.pop("kind"))(**entry)

    # -- writes ------------------------------------------------------------------

    def record_registration(self, username: str, facts: dict[str, Any]) -> None:
        self._record("registered", username=username, facts=facts)

    def record_sms(self, sms: Sms) -> None:
        self._record("sms", **asdict(sms))

    def record_report(self, sms: Sms) -> None:
        self._record("report", id=sms.id)

    def record_inbound(self, message: Inbound) -> None:
        self._record("inbound", **asdict(message))

    def record_inbound_done(self, message: Inbound) -> None:
        self._record("inbound_done", id=message.id)

    def record_payment(self, payment: Payment) -> None:
        self._record("payment", **asdict(payment))

    def record_step(self, payment: Payment) -> None:
        self._record("step", conversation=payment.conversation)

    def record_reset(self) -> None:
        self._record("reset")

    # -- how each line changes the state -------------------------------------------

    def _on_registered(self, username: str, facts: dict[str, Any]) -> None:
        self.registered[username] = facts
        shortcode = str(facts.get("wallet", {}).get("shortcode", ""))
        self.wrong_credentials.pop(shortcode, None)

    def _on_sms(self, **data: Any) -> None:
        sms = Sms(**data)
        self.sms[sms.id] = sms
        self.sms_spent_minor[sms.username] += sms.cost_minor
        if sms.reaches:
            self.sms_by_phone[digits(sms.to)].append(sms)

    def _on_report(self, id: str) -> None:
        if id in self.sms:
            self.sms[id].told += 1

    def _on_inbound(self, **data: Any) -> None:
        message = Inbound(**data)
        self.inbound[message.id] = message
        self.inbound_count = max(self.inbound_count, message.number)

    def _on_inbound_done(self, id: str) -> None:
        if id in self.inbound:
            self.inbound[id].done = True

    def _on_payment(self, **data: Any) -> None:
        payment = Payment(**data)
        self.payment_count += 1
        self.payments[(payment.shortcode, payment.originator)] = payment
        self.by_conversation[payment.conversation] = payment
        self.by_receipt[payment.receipt] = payment
        self.by_phone[digits(payment.phone)].append(payment)
        if payment.paid:
            total, count = self._paid_out[payment.shortcode]
            self._paid_out[payment.shortcode] = (total + payment.amount, count + 1)
        if payment.code == "2001":
            self.wrong_credentials[payment.shortcode] += 1
        elif payment.code != "8006":
            self.wrong_credentials[payment.shortcode] = 0

    def _on_step(self, conversation: str) -> None:
        if conversation in self.by_conversation:
            self.by_conversation[conversation].told += 1

    def _on_reset(self) -> None:
        self._clear()

    # -- reads -----------------------------------------------------------------------

    def received(self, phone: str) -> list[Sms]:
        """Return the SMS a phone has received, oldest first."""
        return self.sms_by_phone.get(digits(phone), [])

    def sent_by(self, phone: str) -> list[Inbound]:
        """Return the SMS a phone has sent, oldest first."""
        wanted = digits(phone)
        return [m for m in self.inbound.values() if digits(m.phone) == wanted]

    def money(self, phone: str) -> list[Payment]:
        """Return the payments a phone has received, oldest first."""
        mine = self.by_phone.get(digits(phone), [])
        return [payment for payment in mine if payment.paid and payment.settled]

    def paid_out(self, shortcode: str) -> tuple[int, int]:
        """Return (whole KES, number) of payments taken from a shortcode's float."""
        return self._paid_out[shortcode]

    def locked(self, shortcode: str) -> bool:
        return self.wrong_credentials[shortcode] >= LOCKED_AFTER
