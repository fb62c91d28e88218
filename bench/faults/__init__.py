"""``bin/bench faults``: fifty orders while every part is killed, stopped, lied to.

Prints the faults by kind and what was lost by kind, which has to be nothing.
"""

from __future__ import annotations

import argparse
import random

from bench.faults.reckoning import KINDS, unknown_messages
from bench.faults.trial import Outcome, Plan, Trial


def main(arguments: list[str]) -> int:
    """Run one trial; 0 if nothing was lost or doubled, else 1."""
    options = _parser().parse_args(arguments)
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    plan = Plan(
        seed=seed,
        orders=options.orders,
        seconds=0.0 if options.short else options.minutes * 60,
        calm=options.calm,
    )
    print(f"Faults: seed {seed}", flush=True)
    outcome = Trial(plan, lambda line: print(line, flush=True)).run()
    print(table(outcome))
    if outcome.losses:
        print(stories(outcome))
    return 1 if outcome.losses or (options.short and outcome.missing) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/bench faults", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="the storm lasts so long (10)"
    )
    parser.add_argument("--seed", type=int, help="repeat a trial")
    parser.add_argument("--orders", type=int, default=50, help="orders at a time (50)")
    parser.add_argument(
        "--short",
        action="store_true",
        help="once through the orders, every kind of fault at least once",
    )
    parser.add_argument("--calm", action="store_true", help="without any fault")
    parser.add_argument("--long", action="store_true", help=argparse.SUPPRESS)
    return parser


def table(outcome: Outcome) -> str:
    """What was done to the system, and what came of it."""
    injected = [(kind, count) for kind, count in outcome.injected.items() if count]
    width = max((len(kind) for kind, _ in injected), default=10)
    lines = ["", "Faults injected"]
    lines += [f"  {kind:<{width}}  {count:>5}" for kind, count in injected]
    lines.append(f"  {'together':<{width}}  {sum(n for _, n in injected):>5}")
    if outcome.missing:
        lines.append(f"  not met: {', '.join(outcome.missing)}")
    books = outcome.books
    unknown, came, failed = unknown_messages(books)
    paid = sum(one.amount for one in books.money)
    lines += [
        "",
        "What was at stake",
        f"  orders {len(books.told)}, jobs {len(books.jobs)}, "
        f"messages {len(books.messages)}, answers by SMS {books.written_in}, "
        f"webhooks {len(books.hooks)}",
        f"  payouts {len(books.payouts)}, KES {paid:,} paid in {len(books.money)} "
        "transfers",
        f"  messages that ops see as unknown: {unknown} ({came} arrived), "
        f"as failed: {failed}",
        "  seconds: "
        + ", ".join(f"{name} {took:.0f}" for name, took in outcome.seconds.items()),
        "",
        "Losses",
    ]
    width = max(map(len, KINDS))
    for kind in KINDS:
        count = sum(loss.kind == kind for loss in outcome.losses)
        lines.append(f"  {kind:<{width}}  {count:>5}")
    lines.append(f"  {'together':<{width}}  {len(outcome.losses):>5}")
    return "\n".join(lines)


def stories(outcome: Outcome, most: int = 8) -> str:
    """Every loss, and the whole story of the orders that they are about."""
    lines = ["", f"Seed {outcome.seed}. What is not as it should be:"]
    lines += [f"  {loss.kind}: {loss.about} {loss.what}" for loss in outcome.losses]
    for po in list(dict.fromkeys(_orders_of(outcome)))[:most]:
        lines += ["", f"The story of {po}, with the faults around it:"]
        lines += outcome.journal.about(po, "fault")
    lines += ["", "Finance and the quiet:", *outcome.journal.about("finance", "quiet")]
    return "\n".join(lines)


def _orders_of(outcome: Outcome) -> list[str]:
    """PO numbers that the losses are about, directly or by a job, workshop or id."""
    found = []
    for loss in outcome.losses:
        for told in outcome.books.told:
            names = {told.story.po, told.order_id}
            names |= {f"job {work.number}" for work in told.jobs}
            if loss.about in names:
                found.append(told.story.po)
    return found
