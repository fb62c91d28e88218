"""The reckoning can fail: each kind of loss, put into its books by hand, is named."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from bench.faults.journal import Told, Work
from bench.faults.reckoning import (
    KINDS,
    Evidence,
    JobRow,
    MessageRow,
    Money,
    PayoutRow,
    expected_state,
    reckon,
    unknown_messages,
)
from bench.faults.script import Answer, Fate, Story, Until, write_stories

PHONE, CODE, RATE = "+254700000001", "W-001", 72_000
OFFER = "Job 1: 10 cuff at KES 720 = 7,200, due 1 Jan. Dial x, or reply YES 1 or NO 1."
GRADED = "B-1: 9 AA, 1 rework. Pay 9 = KES 6,480."
PAID = "You have been paid KES 6,480 by M-Pesa, reference RCPT1 (PR-0001)."


def sound() -> Evidence:
    """One order, one job of ten, nine good and paid, one away to be mended."""
    story = Story("F-1", "BCF-02", 10, Until.GRADED, (Fate(rework=1, mended=False),))
    work = Work(7, 1, CODE, 10, story.fates[0], "delivered", 10, 10, 9, 0, [(9, 1, 0)])
    told = Told(story, "order-1", "/1/", "in_production", [work], [(CODE, 10)], True)
    texts = {"offer": OFFER, "graded": GRADED, "paid": PAID}
    return Evidence(
        told=[told],
        phones={CODE: PHONE},
        paid={CODE},
        orders={"F-1": ("order-1", "in_production")},
        jobs=[JobRow("F-1", 1, CODE, "delivered", 10, 10, 10, 9, 0, RATE)],
        inspections={1: [(9, 1, 0)]},
        payables={1: [9]},
        messages=[MessageRow(k, PHONE, t, "delivered") for k, t in texts.items()],
        inbound=Counter(handled=2),
        hooks=[
            ("id-1", "order-1", "order.placed"),
            ("id-2", "order-1", "order.in_production"),
        ],
        payouts=[PayoutRow("pay-1", CODE, 9 * RATE, "paid", "RCPT1")],
        owed_minor={CODE: 0},
        received=[(PHONE, text) for text in texts.values()],
        written_in=2,
        money=[Money("pay-1", CODE, 9 * RATE // 100, "RCPT1")],
        taken={
            "id-1": ("order-1", "order.placed"),
            "id-2": ("order-1", "order.in_production"),
        },
    )


def test_sound_books_show_no_loss() -> None:
    assert reckon(sound()) == []


def test_an_unknown_message_is_counted_and_not_lost() -> None:
    books = sound()
    books.messages[0] = replace(books.messages[0], state="unknown")
    assert reckon(books) == []
    assert unknown_messages(books) == (1, 1, 0)
    books.received.remove((PHONE, OFFER))
    assert reckon(books) == []
    assert unknown_messages(books) == (1, 0, 0)


def _no_sms(books: Evidence) -> None:
    books.received.remove((PHONE, OFFER))


def _sms_never_written(books: Evidence) -> None:
    books.received.remove((PHONE, OFFER))
    del books.messages[0]


def _sms_twice_on_the_phone(books: Evidence) -> None:
    books.received.append((PHONE, OFFER))


def _sms_written_twice(books: Evidence) -> None:
    books.messages.append(books.messages[1])
    books.received.append((PHONE, GRADED))


def _failed_and_yet_there(books: Evidence) -> None:
    books.messages[0] = replace(books.messages[0], state="failed")


def _receipt_never_told(books: Evidence) -> None:
    del books.messages[2]
    books.received.remove((PHONE, PAID))


def _webhook_never_came(books: Evidence) -> None:
    del books.taken["id-2"]


def _webhook_never_queued(books: Evidence) -> None:
    del books.hooks[1], books.taken["id-2"]


def _webhook_under_two_ids(books: Evidence) -> None:
    books.hooks.append(("id-3", "order-1", "order.placed"))
    books.taken["id-3"] = ("order-1", "order.placed")


def _job_twice(books: Evidence) -> None:
    books.jobs.append(replace(books.jobs[0], number=2))


def _job_gone(books: Evidence) -> None:
    books.jobs.clear()


def _answer_forgotten(books: Evidence) -> None:
    books.jobs[0] = replace(books.jobs[0], state="offered")


def _order_in_another_state(books: Evidence) -> None:
    books.orders["F-1"] = ("order-1", "ready")


def _order_twice(books: Evidence) -> None:
    books.orders["F-1 again"] = ("order-2", "placed")


def _story_broke_off(books: Evidence) -> None:
    books.told[0].finished = False


def _sms_of_a_phone_not_stored(books: Evidence) -> None:
    books.written_in += 1


def _sms_of_a_phone_not_read(books: Evidence) -> None:
    books.inbound = Counter(handled=1, received=1)


def _graded_twice(books: Evidence) -> None:
    books.inspections[1].append((9, 1, 0))


def _grading_gone(books: Evidence) -> None:
    books.inspections.clear()


def _payable_twice(books: Evidence) -> None:
    books.payables[1].append(9)


def _payable_gone(books: Evidence) -> None:
    books.payables.clear()


def _paid_twice(books: Evidence) -> None:
    books.money.append(Money("pay-2", CODE, 6_480, "RCPT2"))
    books.payouts.append(PayoutRow("pay-2", CODE, 9 * RATE, "paid", "RCPT2"))
    text = PAID.replace("RCPT1", "RCPT2")
    books.messages.append(MessageRow("paid", PHONE, text, "delivered"))
    books.received.append((PHONE, text))
    books.owed_minor[CODE] = -9 * RATE


def _one_shilling_too_much(books: Evidence) -> None:
    books.money[0] = replace(books.money[0], amount=6_481)


def _never_paid(books: Evidence) -> None:
    books.money.clear()


def _paid_out_of_nothing(books: Evidence) -> None:
    books.payouts.clear()


def _paid_who_must_not_be(books: Evidence) -> None:
    books.paid.clear()


def _ledger_off(books: Evidence) -> None:
    books.owed_minor[CODE] = 1


def _entry_off(books: Evidence) -> None:
    books.unbalanced.append("entry 4 sums to 1")


def _chain_broken(books: Evidence) -> None:
    books.broken.append("soko-demo: BROKEN: line 3 is missing")


def _row_stuck(books: Evidence) -> None:
    books.stuck.append("1 webhooks to send")


def _payout_open(books: Evidence) -> None:
    books.payouts.append(PayoutRow("pay-2", CODE, 100, "review", ""))


HARM: list[tuple[Callable[[Evidence], None], str]] = [
    (_no_sms, "message lost"),
    (_sms_never_written, "message lost"),
    (_receipt_never_told, "message lost"),
    (_sms_twice_on_the_phone, "message doubled"),
    (_sms_written_twice, "message doubled"),
    (_failed_and_yet_there, "message doubled"),
    (_webhook_never_came, "webhook lost"),
    (_webhook_never_queued, "webhook lost"),
    (_webhook_under_two_ids, "webhook doubled"),
    (_job_twice, "job doubled"),
    (_job_gone, "job lost"),
    (_answer_forgotten, "order astray"),
    (_order_in_another_state, "order astray"),
    (_order_twice, "order astray"),
    (_story_broke_off, "order astray"),
    (_sms_of_a_phone_not_stored, "answer lost"),
    (_sms_of_a_phone_not_read, "answer lost"),
    (_graded_twice, "inspection doubled"),
    (_grading_gone, "inspection lost"),
    (_payable_twice, "payable doubled"),
    (_payable_gone, "payable lost"),
    (_paid_twice, "payout doubled"),
    (_one_shilling_too_much, "payout doubled"),
    (_paid_who_must_not_be, "payout doubled"),
    (_never_paid, "payout lost"),
    (_paid_out_of_nothing, "payout lost"),
    (_ledger_off, "ledger unbalanced"),
    (_entry_off, "ledger unbalanced"),
    (_chain_broken, "events broken"),
    (_row_stuck, "row stuck"),
    (_payout_open, "row stuck"),
]


@pytest.mark.parametrize(("harm", "kind"), HARM)
def test_each_loss_is_named(harm: Callable[[Evidence], None], kind: str) -> None:
    books = sound()
    harm(books)
    assert kind in {loss.kind for loss in reckon(books)}


def test_every_kind_of_loss_has_been_tried() -> None:
    assert {kind for _, kind in HARM} == set(KINDS)


def test_stories_follow_from_the_seed() -> None:
    assert write_stories(50, 3) == write_stories(50, 3)
    assert write_stories(50, 3) != write_stories(50, 4)


def test_fifty_stories_end_everywhere_and_hold_every_answer() -> None:
    for seed in range(20):
        stories = write_stories(50, seed)
        answers = {fate.answer for story in stories for fate in story.fates}
        assert {story.until for story in stories} == set(Until)
        assert answers == set(Answer)
        assert len({story.po for story in stories}) == 50


def test_an_order_is_ready_once_every_piece_is_good() -> None:
    told = sound().told[0]
    assert expected_state(told) == "in_production"
    told.jobs[0].good = 10
    assert expected_state(told) == "ready"
