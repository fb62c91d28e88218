"""What is left of one order in the database and on the phones, made comparable.

Two runs of the same order may go to different workshops and carry different numbers, so
both are counted by what they are: so many jobs of this kind, so many pieces of that grade.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.e2e.system import System
from vrp.walk.tour import Tour

Counted = dict[tuple[Any, ...], int]

OF_ORDER = """
    JOIN orders_workorder w ON w.id = j.work_order_id
    JOIN orders_component c ON c.id = w.component_id
    JOIN orders_orderline l ON l.id = w.line_id
    JOIN orders_order o ON o.id = l.order_id
    WHERE o.po_number = %(po)s"""
JOBS = f"""
    SELECT c.code, j.state, j.offered_quantity, j.quantity, j.made, j.delivered, j.good,
           j.scrapped
    FROM orders_job j{OF_ORDER}"""
ITEMS = f"""
    SELECT c.code, i.grade FROM qc_item i JOIN orders_job j ON j.id = i.job_id{OF_ORDER}"""
VERDICTS = f"""
    SELECT c.code, b.kind, g.grade FROM qc_itemgrade g
    JOIN qc_inspection n ON n.id = g.inspection_id JOIN qc_batch b ON b.id = n.batch_id
    JOIN orders_job j ON j.id = b.job_id{OF_ORDER}"""
PAYABLES = f"""
    SELECT c.code, p.items, p.amount_minor, p.open_minor FROM payments_payable p
    JOIN qc_inspection n ON n.id = p.inspection_id JOIN qc_batch b ON b.id = n.batch_id
    JOIN orders_job j ON j.id = b.job_id{OF_ORDER}"""
# What each payout pays of this order: it may carry older debts to the workshop as well.
PAYOUTS = f"""
    SELECT p.id, p.state, sum(x.amount_minor)::bigint, p.receipt, p.amount_minor
    FROM payments_payout p
    JOIN payments_payoutline x ON x.payout_id = p.id
    JOIN payments_payable a ON a.id = x.payable_id
    JOIN qc_inspection n ON n.id = a.inspection_id JOIN qc_batch b ON b.id = n.batch_id
    JOIN orders_job j ON j.id = b.job_id{OF_ORDER}
    GROUP BY p.id, p.state, p.receipt, p.amount_minor"""
DELIVERIES = f"""
    SELECT c.code, d.state, x.declared, x.counted FROM orders_deliveryline x
    JOIN orders_delivery d ON d.id = x.delivery_id
    JOIN orders_job j ON j.id = x.job_id{OF_ORDER}"""
WEBHOOKS = """
    SELECT h.event_name, h.state FROM orders_webhookdelivery h
    JOIN orders_order o ON h.payload->'data'->'order'->>'id' = o.public_id::text
    WHERE o.po_number = %(po)s"""
ORDER = """
    SELECT o.state, l.stage, w.placed, w.accepted, w.good FROM orders_order o
    JOIN orders_orderline l ON l.order_id = o.id
    JOIN orders_workorder w ON w.line_id = l.id WHERE o.po_number = %(po)s"""
# Messages of these workshops that were written since the order was placed.
MESSAGES = """
    SELECT m.template, m.purpose, m.text, m.phone, m.state FROM phone_message m
    JOIN artisans_workshop s ON s.id = m.workshop_id
    WHERE m.direction = 'out' AND s.code = ANY(%(codes)s) AND m.created_at >= (
        SELECT placed_at FROM orders_order WHERE po_number = %(po)s)"""


@dataclass
class Outcome:
    """Counts by kind; equal for two runs of the same order."""

    order: Counted
    jobs: Counted
    items: Counted
    verdicts: Counted
    deliveries: Counted
    payables: Counted
    payouts: Counted
    money: Counted
    messages: Counted
    webhooks: Counted


def outcome_of(system: System, tour: Tour) -> Outcome:
    """Read what is left of a finished tour, while its people still hold their phones."""

    def counted(query: str) -> Counted:
        return dict(Counter(system.rows(query, po=tour.po)))

    payouts = system.rows(PAYOUTS, po=tour.po)
    codes = list(tour.artisans)
    messages = system.rows(MESSAGES, po=tour.po, codes=codes)
    older = {receipt: whole - share for _, _, share, receipt, whole in payouts}
    money = [
        row["amount"] - older.get(row["receipt"], 0) // 100
        for one in tour.artisans.values()
        for row in one.money()
    ]
    return Outcome(
        order=counted(ORDER),
        jobs=counted(JOBS),
        items=counted(ITEMS),
        verdicts=counted(VERDICTS),
        deliveries=counted(DELIVERIES),
        payables=counted(PAYABLES),
        payouts=dict(Counter((state, share) for _, state, share, *_ in payouts)),
        money=dict(Counter((amount,) for amount in money)),
        messages=dict(Counter((template,) for template, *_ in messages)),
        webhooks=counted(WEBHOOKS),
    )


def assert_told_once(system: System, tour: Tour) -> None:
    """Every message was written once for its cause and came to its phone once."""
    rows = system.rows(MESSAGES, po=tour.po, codes=list(tour.artisans))
    purposes = Counter(purpose for _, purpose, *_ in rows)
    assert [one for one, count in purposes.items() if count > 1] == []
    written = Counter((phone, text) for _, _, text, phone, _ in rows)
    received = Counter(
        (artisan.phone, sms["text"])
        for artisan in tour.artisans.values()
        for sms in artisan.sms()
    )
    assert dict(received - written) == {}
    assert dict(written - received) == {}


def assert_paid_once(system: System, tour: Tour) -> None:
    """Every payout is paid, and its receipt is money that came to a wallet once."""
    rows = system.rows(PAYOUTS, po=tour.po)
    receipts = [receipt for *_, receipt, _ in rows]
    came = [row["receipt"] for one in tour.artisans.values() for row in one.money()]
    assert {state for _, state, *_ in rows} == {"paid"}
    assert sorted(receipts) == sorted(came)
    assert len(set(receipts)) == len(receipts)


def assert_books_balance(system: System) -> None:
    """Each entry and so the ledger sums to zero; no cause was posted twice."""
    wrong = system.rows(
        "SELECT entry_id FROM payments_posting GROUP BY entry_id, currency"
        " HAVING sum(amount_minor) <> 0"
    )
    assert wrong == []
    assert (
        system.rows(
            "SELECT cause FROM payments_entry GROUP BY cause HAVING count(*) > 1"
        )
        == []
    )
