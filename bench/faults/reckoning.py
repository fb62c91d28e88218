"""The reckoning: what was said outside against what is written inside. Arithmetic only.

Three books are compared: the driver's journal (what people did and were answered), the
books of carrier, wallet and the buyer's receiver (what really arrived), and the
system's database. What is wrong is named; an empty list means that nothing was lost.

* A message is *lost* if it should be on a phone and is not, and no person sees that:
  the system says *sent*, or knows no such message. One that the system calls *unknown*
  or *failed* is on ops' list; it is counted, but not lost. It is *doubled* if the phone
  has it more often than the system can account for, or the system wrote it twice.
* A webhook is lost if the receiver never took its id, doubled if one event has two ids.
  The same id again is what Standard Webhooks allows.
* A payout is lost if the wallet holds less than was earned and is called paid, doubled
  if it holds more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.faults.journal import Told, Work

KINDS = (
    "order astray",
    "job lost",
    "job doubled",
    "answer lost",
    "inspection lost",
    "inspection doubled",
    "payable lost",
    "payable doubled",
    "message lost",
    "message doubled",
    "webhook lost",
    "webhook doubled",
    "payout lost",
    "payout doubled",
    "ledger unbalanced",
    "events broken",
    "row stuck",
)
ARRIVED = ("wired", "sent", "delivered")
EVENTS = {
    "placed": ("order.placed",),
    "cancelled": ("order.placed", "order.cancelled"),
    "in_production": ("order.placed", "order.in_production"),
    "ready": ("order.placed", "order.in_production", "order.ready"),
    "shipped": ("order.placed", "order.in_production", "order.ready", "order.shipped"),
}


@dataclass(frozen=True)
class Loss:
    """One thing that is not as it should be."""

    kind: str
    about: str
    what: str


@dataclass(frozen=True)
class JobRow:
    """A job as the database has it. ``rate_minor`` is what one good piece earns."""

    po: str
    number: int
    code: str
    state: str
    offered: int
    quantity: int
    delivered: int
    good: int
    scrapped: int
    rate_minor: int


@dataclass(frozen=True)
class MessageRow:
    """An SMS of ours in the database."""

    template: str
    phone: str
    text: str
    state: str


@dataclass(frozen=True)
class PayoutRow:
    """A payout in the database; ``code`` is the workshop's."""

    originator: str
    code: str
    amount_minor: int
    state: str
    receipt: str


@dataclass(frozen=True)
class Money:
    """Money in a wallet, by the wallet's own book, in whole shillings."""

    originator: str
    code: str
    amount: int
    receipt: str


@dataclass
class Evidence:
    """All three books. Phones are keyed by workshop code in ``phones``."""

    told: list[Told] = field(default_factory=list)
    phones: dict[str, str] = field(default_factory=dict)
    paid: set[str] = field(default_factory=set)
    # -- the database
    orders: dict[str, tuple[str, str]] = field(default_factory=dict)  # po: id, state
    jobs: list[JobRow] = field(default_factory=list)
    # job number: (good, rework, scrap) of each inspection; items of each payable
    inspections: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    payables: dict[int, list[int]] = field(default_factory=dict)
    messages: list[MessageRow] = field(default_factory=list)
    inbound: Counter[str] = field(default_factory=Counter)  # state: count
    hooks: list[tuple[str, str, str]] = field(default_factory=list)  # id, order, event
    payouts: list[PayoutRow] = field(default_factory=list)
    owed_minor: dict[str, int] = field(default_factory=dict)  # by the ledger
    unbalanced: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    # -- carrier, wallet, receiver
    received: list[tuple[str, str]] = field(default_factory=list)  # phone, text
    written_in: int = 0  # SMS that phones sent
    money: list[Money] = field(default_factory=list)
    taken: dict[str, tuple[str, str]] = field(default_factory=dict)  # id: order, event


def reckon(books: Evidence) -> list[Loss]:
    """Everything that is not as it should be."""
    parts = (_orders, _jobs, _graded, _written, _arrived, _inbound, _hooks, _money)
    losses = [loss for part in parts for loss in part(books)]
    for kind, lines in (
        ("ledger unbalanced", books.unbalanced),
        ("events broken", books.broken),
        ("row stuck", books.stuck),
    ):
        losses += [Loss(kind, "", line) for line in lines]
    return losses


def expected_state(told: Told) -> str:
    """The order's state after what was done to it."""
    if told.state != "in_production":
        return told.state
    good = sum(work.good for work in told.jobs)
    covered = told.story.sku == "BCF-02" and good >= told.story.quantity
    return "ready" if covered else "in_production"


def _orders(books: Evidence) -> Iterator[Loss]:
    for told in books.told:
        po = told.story.po
        if not told.finished:
            yield Loss("order astray", po, f"its story broke off: {told.problem}")
            continue
        found = books.orders.get(po)
        if found is None:
            yield Loss("order astray", po, "the system does not know it")
        elif found != (told.order_id, expected_state(told)):
            wanted = f"{told.order_id} {expected_state(told)}"
            yield Loss("order astray", po, f"is {found[0]} {found[1]}, not {wanted}")
    known = {told.story.po for told in books.told}
    for po in sorted(set(books.orders) - known):
        yield Loss("order astray", po, "nobody placed it")


def _jobs(books: Evidence) -> Iterator[Loss]:
    rows = {row.number: row for row in books.jobs}
    for told in books.told:
        po = told.story.po
        there = Counter((row.code, row.offered) for row in books.jobs if row.po == po)
        proposed = Counter(told.proposed)
        for what, count in sorted((there - proposed).items()):
            yield Loss("job doubled", po, f"{what[1]} at {what[0]}: {count} too many")
        for what, count in sorted((proposed - there).items()):
            yield Loss("job lost", po, f"{what[1]} at {what[0]}: {count} not there")
        for work in told.jobs if told.finished else ():
            row = rows.get(work.number)
            if row is None:
                yield Loss("job lost", po, f"job {work.number} is gone")
                continue
            is_now = (row.state, row.quantity, row.delivered, row.good, row.scrapped)
            wanted = (
                *(work.state, work.quantity, work.delivered, work.good),
                work.scrapped,
            )
            if is_now != wanted:
                what = f"job {work.number} is {is_now}, not {wanted}"
                yield Loss("order astray", po, what)


def _graded(books: Evidence) -> Iterator[Loss]:
    works = {work.number: work for told in books.told for work in told.jobs}
    for number, work in sorted(works.items()):
        about = f"job {number}"
        told, there = Counter(work.graded), Counter(books.inspections.get(number, []))
        for lot in (there - told).elements():
            yield Loss("inspection doubled", about, f"{lot} was not graded so often")
        for lot in (told - there).elements():
            yield Loss("inspection lost", about, f"{lot} was graded")
        earned = Counter(good for good, _, _ in work.graded if good)
        owed = Counter(books.payables.get(number, []))
        for items in (owed - earned).elements():
            yield Loss("payable doubled", about, f"{items} pieces")
        for items in (earned - owed).elements():
            yield Loss("payable lost", about, f"{items} pieces")


def _written(books: Evidence) -> Iterator[Loss]:
    """What had to be said was written down once."""
    by_phone: dict[str, list[str]] = {}
    for row in books.messages:
        by_phone.setdefault(row.phone, []).append(row.text)
    for about, phone, needle in _due_messages(books):
        found = [t for t in by_phone.get(phone, []) if re.search(needle, t)]
        if not found:
            yield Loss("message lost", about, f"{phone} was never written {needle!r}")
        elif len(found) > 1:
            yield Loss("message doubled", about, f"{len(found)} of {needle!r}")
    graded = Counter(row.phone for row in books.messages if "graded" in row.template)
    told: Counter[str] = Counter()
    for work in _works(books):
        told[books.phones[work.code]] += len(work.graded)
    for phone in sorted(graded | told):
        if graded[phone] != told[phone]:
            kind = "lost" if graded[phone] < told[phone] else "doubled"
            what = f"{graded[phone]} results written, {told[phone]} gradings"
            yield Loss(f"message {kind}", phone, what)


def _works(books: Evidence) -> Iterator[Work]:
    for told in books.told:
        yield from told.jobs


def _due_messages(books: Evidence) -> Iterator[tuple[str, str, str]]:
    """What must have been written: about what, to which phone, and how one knows it."""
    for work in _works(books):
        phone, job, n = books.phones[work.code], f"job {work.number}", work.number
        yield job, phone, rf"^(Job|Kazi) {n}: .*\b(YES|NDIO) {n}\b"
        if work.state == "lapsed":
            yield job, phone, rf"^(Job|Kazi) {n} \("
        if work.told_short:
            yield job, phone, rf"(job|kazi) {n}: .*({work.told_short} (missing|hazipo))"
    for one in books.money:
        yield one.originator, books.phones[one.code], rf"\b{one.receipt}\b"


def _arrived(books: Evidence) -> Iterator[Loss]:
    """Phones hold what the system says they hold."""
    phones = Counter(books.received)
    claimed: Counter[tuple[str, str]] = Counter()
    unsure: Counter[tuple[str, str]] = Counter()
    for row in books.messages:
        if row.state in ARRIVED:
            claimed[(row.phone, row.text)] += 1
        elif row.state == "unknown":
            unsure[(row.phone, row.text)] += 1
    for key in sorted(claimed | phones):
        have, least = phones[key], claimed[key]
        if have < least:
            what = f"{key[1][:60]!r}: {have} on the phone, {least} called sent"
            yield Loss("message lost", key[0], what)
        elif have > least + unsure[key]:
            what = f"{key[1][:60]!r}: {have} on the phone, {least} called sent"
            yield Loss("message doubled", key[0], what)


def unknown_messages(books: Evidence) -> tuple[int, int, int]:
    """Messages a person sees as unknown, how many of those arrived, and the failed."""
    phones = Counter(books.received)
    for row in books.messages:
        if row.state in ARRIVED:
            phones[(row.phone, row.text)] -= 1
    unknown = [row for row in books.messages if row.state == "unknown"]
    came = sum(phones[(row.phone, row.text)] > 0 for row in unknown)
    failed = sum(row.state == "failed" for row in books.messages)
    return len(unknown), came, failed


def _inbound(books: Evidence) -> Iterator[Loss]:
    stored = sum(books.inbound.values())
    if stored != books.written_in:
        what = f"phones sent {books.written_in} SMS, {stored} are stored"
        yield Loss("answer lost", "", what)
    for state, count in books.inbound.items():
        if state != "handled":
            yield Loss("answer lost", "", f"{count} SMS from phones are {state}")


def _hooks(books: Evidence) -> Iterator[Loss]:
    written = Counter((order, event) for _, order, event in books.hooks)
    for told in books.told:
        for event in EVENTS.get(expected_state(told), ()) if told.finished else ():
            count = written[(told.order_id, event)]
            if count != 1:
                kind = "webhook doubled" if count else "webhook lost"
                yield Loss(kind, told.story.po, f"{event} was queued {count} times")
    for webhook_id, order, event in books.hooks:
        if books.taken.get(webhook_id) != (order, event):
            yield Loss("webhook lost", order, f"{event} never reached the receiver")
    for webhook_id in sorted(set(books.taken) - {hook[0] for hook in books.hooks}):
        what = f"{books.taken[webhook_id][1]} came under an id that is not ours"
        yield Loss("webhook doubled", webhook_id, what)


def _money(books: Evidence) -> Iterator[Loss]:
    rows = {row.originator: row for row in books.payouts}
    moved = {one.originator: one for one in books.money}
    for one in books.money:
        row = rows.get(one.originator)
        if row is None:
            yield Loss("payout lost", one.code, f"no payout for {one.receipt}")
        elif (row.receipt, row.amount_minor) != (one.receipt, one.amount * 100):
            what = f"{row.state} {row.receipt or 'without receipt'}, wallet: {one}"
            yield Loss("payout lost", one.code, what)
    for row in books.payouts:
        if row.state == "paid" and row.originator not in moved:
            yield Loss("payout lost", row.code, f"{row} is called paid")
        elif row.state not in ("paid", "failed", "cancelled"):
            yield Loss("row stuck", row.code, f"{row}")
    yield from _by_workshop(books)


def _by_workshop(books: Evidence) -> Iterator[Loss]:
    """To the shilling: earned by the journal, paid by the wallet, owed by the ledger."""
    rates = {row.number: row.rate_minor for row in books.jobs}
    for code in sorted(books.phones):
        earned = sum(
            work.good * rates.get(work.number, 0)
            for work in _works(books)
            if work.code == code
        )
        paid = sum(one.amount * 100 for one in books.money if one.code == code)
        wanted = earned if code in books.paid else 0
        words = f"earned {earned / 100:,.2f}, was paid {paid / 100:,.2f}"
        if paid > wanted:
            yield Loss("payout doubled", code, words)
        elif paid < wanted:
            yield Loss("payout lost", code, words)
        owed = books.owed_minor.get(code, 0)
        if owed != earned - paid:
            what = f"{words}, the ledger owes {owed / 100:,.2f}"
            yield Loss("ledger unbalanced", code, what)
