"""Gathering the three books for the reckoning."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from bench.faults.house import House
from bench.faults.journal import Journal, Told
from bench.faults.people import Phone
from bench.faults.receiver import MoodyReceiver
from bench.faults.reckoning import (
    Evidence,
    JobRow,
    MessageRow,
    Money,
    PayoutRow,
)
from vrp.walk.facts import Facts
from vrp.walk.web import call, json_of, new_session

JOBS = """
    SELECT o.po_number, j.number, s.code, j.state, j.offered_quantity, j.quantity,
           j.delivered, j.good, j.scrapped, j.piece_rate_minor
    FROM orders_job j JOIN artisans_workshop s ON s.id = j.workshop_id
    JOIN orders_workorder w ON w.id = j.work_order_id
    JOIN orders_orderline l ON l.id = w.line_id
    JOIN orders_order o ON o.id = l.order_id ORDER BY j.number"""
INSPECTIONS = """
    SELECT j.number, i.aa + i.a + i.b, i.rework, i.scrap FROM qc_inspection i
    JOIN qc_batch b ON b.id = i.batch_id JOIN orders_job j ON j.id = b.job_id"""
PAYABLES = """
    SELECT j.number, p.items FROM payments_payable p
    JOIN qc_inspection i ON i.id = p.inspection_id
    JOIN qc_batch b ON b.id = i.batch_id JOIN orders_job j ON j.id = b.job_id"""
MESSAGES = """
    SELECT template, phone, text, state FROM phone_message WHERE direction = 'out'"""
INBOUND = "SELECT state FROM phone_message WHERE direction = 'in'"
HOOKS = """
    SELECT public_id::text, payload->'data'->'order'->>'id', event_name
    FROM orders_webhookdelivery"""
PAYOUTS = """
    SELECT p.originator_id::text, s.code, p.amount_minor, p.state, p.receipt
    FROM payments_payout p JOIN artisans_workshop s ON s.id = p.workshop_id"""
# Debit is positive, so what is owed stands with a minus.
OWED = """
    SELECT s.code, -sum(p.amount_minor)::bigint FROM payments_posting p
    JOIN payments_account a ON a.id = p.account_id
    JOIN artisans_workshop s ON s.id = a.workshop_id GROUP BY s.code"""
UNBALANCED = (
    """SELECT 'entry ' || entry_id || ' sums to ' || sum(amount_minor)
       FROM payments_posting GROUP BY entry_id, currency
       HAVING sum(amount_minor) <> 0""",
    """SELECT 'cause ' || cause || ' was posted twice' FROM payments_entry
       GROUP BY cause HAVING count(*) > 1""",
    """SELECT 'payouts under way hold ' || sum(p.amount_minor) FROM payments_posting p
       JOIN payments_account a ON a.id = p.account_id WHERE a.kind = 'in_transit'
       HAVING sum(p.amount_minor) <> 0""",
)
# What is due, or will be, and so still moves (or should).
RESTLESS = {
    "messages to send or read": """SELECT count(*) FROM phone_message
        WHERE state IN ('queued', 'sending', 'received', 'reading')""",
    "webhooks to send": """SELECT count(*) FROM orders_webhookdelivery
        WHERE state IN ('queued', 'sending')""",
    "plans being computed": """SELECT count(*) FROM matching_plan
        WHERE state IN ('queued', 'running')""",
    "payouts under way": """SELECT count(*) FROM payments_payout
        WHERE state IN ('queued', 'sending', 'accepted', 'unknown')""",
    "questions to the wallet": """SELECT count(*) FROM payments_statusquery
        WHERE state IN ('queued', 'sending')""",
    "wallet callbacks not understood": """SELECT count(*)
        FROM payments_walletcallback WHERE effect = ''""",
    "offers past their time": """SELECT count(*) FROM orders_job
        WHERE state = 'offered' AND expires_at < now()""",
    "requests without an answer": """SELECT count(*) FROM orders_idempotencyrecord
        WHERE status IS NULL""",
    "events not sealed": "SELECT count(*) FROM events_event WHERE number IS NULL",
}


def restless(house: House) -> dict[str, int]:
    """How much of what still moves there is; empty when all is quiet."""
    counts = {name: int(house.rows(query)[0][0]) for name, query in RESTLESS.items()}
    return {name: count for name, count in counts.items() if count}


def carrier_state(facts: Facts) -> dict[str, Any]:
    """What the stand-ins count."""
    with new_session() as session:
        found: dict[str, Any] = json_of(
            call(session, "GET", facts.standin_url + "/_state")
        )
        return found


def gather(
    house: House,
    facts: Facts,
    told: list[Told],
    paid: set[str],
    receiver: MoodyReceiver,
) -> Evidence:
    """Read all books, when everything is quiet (what is not counts as stuck)."""
    books = Evidence(told=told, paid=paid)
    books.phones = {line.code: line.phone for line in facts.workshops.values()}
    books.stuck = [f"{count} {name}" for name, count in restless(house).items()]
    orders = house.rows("SELECT po_number, public_id::text, state FROM orders_order")
    books.orders = {po: (public_id, state) for po, public_id, state in orders}
    books.jobs = [JobRow(*row) for row in house.rows(JOBS)]
    books.inspections = _by_job(house.rows(INSPECTIONS))
    books.payables = {
        number: [row[0] for row in rows]
        for number, rows in _by_job(house.rows(PAYABLES)).items()
    }
    books.messages = [MessageRow(*row) for row in house.rows(MESSAGES)]
    books.inbound = Counter(state for (state,) in house.rows(INBOUND))
    books.hooks = [(row[0], row[1], row[2]) for row in house.rows(HOOKS)]
    books.payouts = [PayoutRow(*row) for row in house.rows(PAYOUTS)]
    books.owed_minor = {code: int(minor) for code, minor in house.rows(OWED)}
    books.unbalanced = [row[0] for query in UNBALANCED for row in house.rows(query)]
    books.broken = _broken(house)
    books.taken = dict(receiver.taken)
    _outside(books, facts)
    return books


def _by_job(rows: list[tuple[Any, ...]]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for number, *rest in rows:
        found[number].append(tuple(rest))
    return dict(found)


def _broken(house: House) -> list[str]:
    """What ``verify_events`` complains of; it must speak of the tenant at all."""
    try:
        said = house.python("manage.py", "verify_events")
    except RuntimeError as error:
        return [str(error)]
    return [] if "soko-demo" in said else [f"verify_events said: {said[:200]}"]


def _outside(books: Evidence, facts: Facts) -> None:
    """The books of carrier and wallet."""
    journal = Journal()
    for line in facts.workshops.values():
        phone = Phone(facts, line, journal)
        books.received += [(sms["to"], sms["text"]) for sms in phone.received()]
        books.money += [
            Money(row["id"], line.code, int(row["amount"]), row["receipt"])
            for row in phone.money()
        ]
        phone.web.close()
    books.written_in = int(carrier_state(facts)["sms_inbound"])
