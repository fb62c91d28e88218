"""Any sequence of grading, runs, sending, results, silence and repeats keeps the books.

A wallet that tells the truth, but late, twice, out of order or never, is played in
memory. At every step: each entry sums to zero, every account equals the rows behind it,
and the wallet has paid no workshop more than it has earned. At the end, when everything
has been told and asked, every payout has an outcome and it is the wallet's.
"""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orders.models import Job
from payments.daraja import Accepted, NotSent, Refused, Unknown
from payments.enums import PAYOUT_UNCLEAR, PayoutState, RunState
from payments.models import Payable, Payout, PayoutRun, Posting, StatusQuery
from payments.queries import book_differences
from payments.services.asking import ask_now
from payments.services.payables import post_payable
from payments.services.payouts import lost, take_answer
from payments.services.results import take_result, take_timeout
from payments.services.runs import approve_run, cancel_run
from qc.models import Batch, Inspection
from tests.builders import SYSTEM, Network, build_job
from tests.payments.conftest import run_of
from vrp.accounts.models import User
from vrp.errors import Invalid
from vrp.events import outbox

pytestmark = pytest.mark.django_db

HOW = st.integers(0, 6)  # see Play.send
WHICH = st.integers(0, 7)
ONE = st.just(0)
STEP = st.one_of(
    st.tuples(st.just("grade"), st.integers(0, 1), st.integers(1, 600)),
    st.tuples(st.just("pay"), ONE, ONE),
    st.tuples(st.just("make"), ONE, ONE),
    st.tuples(st.just("approve"), WHICH, ONE),
    st.tuples(st.just("cancel"), WHICH, ONE),
    st.tuples(st.just("send"), WHICH, HOW),
    st.tuples(st.just("send"), WHICH, HOW),
    st.tuples(st.just("tell"), WHICH, st.integers(1, 2)),
    st.tuples(st.just("tell"), WHICH, st.integers(1, 2)),
    st.tuples(st.just("notice"), WHICH, ONE),
    st.tuples(st.just("ask"), WHICH, st.booleans()),
)
# Every game starts with three payments on their way, each handed over in its own manner.
START = st.tuples(HOW, HOW, HOW)


@dataclass
class TruthfulWallet:
    """What the wallet did by our id: a receipt, or a code of failure."""

    paid: dict[uuid.UUID, str] = field(default_factory=dict)
    failed: dict[uuid.UUID, str] = field(default_factory=dict)

    def take(self, payout: Payout, code: str) -> None:
        """Carry a request out, once: an id it has seen moves nothing."""
        if payout.originator_id in self.paid | self.failed:
            return
        if code == "0":
            receipt = f"R{len(self.paid):09d}X"
            self.paid[payout.originator_id] = receipt
        else:
            self.failed[payout.originator_id] = code

    def result(self, payout: Payout) -> bytes | None:
        mine = payout.originator_id
        if mine not in self.paid | self.failed:
            return None
        body: dict[str, Any] = {
            "ResultCode": 0 if mine in self.paid else self.failed[mine],
            "OriginatorConversationID": str(mine),
            "TransactionID": self.paid.get(mine, "NLJ0000000"),
        }
        return json.dumps({"Result": body}).encode()

    def status(self, query: StatusQuery) -> bytes:
        mine = query.payout.originator_id
        known = mine in self.paid | self.failed
        rows = [
            {
                "Key": "TransactionStatus",
                "Value": "Completed" if mine in self.paid else "Declined",
            },
            {"Key": "ReceiptNo", "Value": self.paid.get(mine, "")},
        ]
        body: dict[str, Any] = {
            "ResultCode": 0 if known else "2032",
            "OriginatorConversationID": f"{query.pk}-1",
            "TransactionID": "NLJ0000000",
            "ReferenceData": {
                "ReferenceItem": {"Key": "Occasion", "Value": str(query.originator_id)}
            },
        }
        if known:
            body["ResultParameters"] = {"ResultParameter": rows}
        return json.dumps({"Result": body}).encode()


@dataclass
class Play:
    """One game: the actions of ``STEP`` on a tenant with two workshops."""

    network: Network
    jobs: list[Job]
    maker: User
    checker: User
    wallet: TruthfulWallet = field(default_factory=TruthfulWallet)

    def grade(self, shop: int, pieces: int) -> None:
        job = self.jobs[shop]
        batch = Batch.objects.create(
            tenant=job.tenant,
            number=Batch.objects.count() + 1,
            job=job,
            counted=pieces,
        )
        inspection = Inspection.objects.create(
            tenant=job.tenant,
            batch=batch,
            grader=self.checker,
            aa=pieces, a=0, b=0, rework=0, scrap=0,
        )  # fmt: skip
        post_payable(inspection=inspection, actor=SYSTEM)

    def make(self, *_: int) -> None:
        try:
            run_of(self.network.tenant, self.maker)
        except Invalid:
            left = Payable.objects.aggregate(total=Sum("open_minor"))["total"] or 0
            assert left < 2 * 1_000, "only what the wallet cannot carry may wait"

    def pay(self, *_: int) -> None:
        self.make()
        self.approve(0, 0)

    def _pick(self, rows: Any, number: int) -> Any:
        found = list(rows.order_by("id"))
        return found[number % len(found)] if found else None

    def approve(self, number: int, _: int) -> None:
        run = self._pick(PayoutRun.objects.filter(state=RunState.DRAFT), number)
        if run:
            approve_run(
                run=run,
                approver=self.checker,
                total_minor=run.total_minor,
                actor=SYSTEM,
            )

    def cancel(self, number: int, _: int) -> None:
        run = self._pick(PayoutRun.objects.filter(state=RunState.DRAFT), number)
        if run:
            cancel_run(run=run, actor=SYSTEM)

    def send(self, number: int, how: int) -> None:
        payout = self._pick(Payout.objects.filter(state=PayoutState.QUEUED), number)
        if payout is None:
            return
        Payout.objects.filter(pk=payout.pk).update(due_at=payout.run.made_at)
        payout = outbox.claim(outbox._outboxes["payout"], payout.pk)
        if how in (0, 1, 2, 5):
            self.wallet.take(payout, {1: "2040", 2: "17"}.get(how, "0"))
        if how in (0, 1, 2):
            take_answer(payout.pk, Accepted("AG_1"))
        elif how == 3:
            take_answer(payout.pk, NotSent("away"))
        elif how == 4:
            take_answer(payout.pk, Refused("400.002.02", "Invalid PartyB", True))
        elif how == 5:
            take_answer(payout.pk, Unknown("no answer"))
        else:
            with transaction.atomic():
                lost(payout)

    def tell(self, number: int, times: int) -> None:
        payout = self._pick(Payout.objects.all(), number)
        body = self.wallet.result(payout) if payout else None
        for _ in range(times if body else 0):
            take_result(tenant=payout.tenant, body=body)

    def notice(self, number: int, _: int) -> None:
        payout = self._pick(Payout.objects.all(), number)
        if payout:
            echo = json.dumps({"OriginatorConversationID": str(payout.originator_id)})
            take_timeout(tenant=payout.tenant, body=echo.encode())

    def ask(self, number: int, answered: bool) -> None:
        unclear = Payout.objects.filter(state__in=PAYOUT_UNCLEAR)
        payout = self._pick(unclear, number)
        if payout:
            query = ask_now(payout=payout, actor=SYSTEM)
            query.refresh_from_db()
            if answered:
                take_result(tenant=payout.tenant, body=self.wallet.status(query))

    def check(self) -> None:
        assert book_differences() == []
        wrong = Posting.objects.values("entry").annotate(total=Sum("amount_minor"))
        assert not wrong.exclude(total=0).exists()
        earned = dict(
            Payable.objects.values_list("workshop").annotate(total=Sum("amount_minor"))
        )
        moved: dict[int, int] = {}
        for payout in Payout.objects.filter(originator_id__in=self.wallet.paid):
            moved[payout.workshop_id] = (
                moved.get(payout.workshop_id, 0) + payout.amount_minor
            )
        for workshop, minor in moved.items():
            assert minor <= earned[workshop], "paid twice"

    def settle(self) -> None:
        """Everything is told; what is still unknown was never carried out."""
        for payout in Payout.objects.order_by("id"):
            body = self.wallet.result(payout)
            if body:
                take_result(tenant=payout.tenant, body=body)
        for payout in Payout.objects.filter(state__in=PAYOUT_UNCLEAR):
            query = ask_now(payout=payout, actor=SYSTEM)
            take_result(tenant=payout.tenant, body=self.wallet.status(query))
        self.check()
        for payout in Payout.objects.order_by("id"):
            mine = payout.originator_id
            if mine in self.wallet.paid:
                assert payout.state == PayoutState.PAID
                assert payout.receipt == self.wallet.paid[mine]
            elif mine in self.wallet.failed:
                assert payout.state == PayoutState.FAILED
            else:
                assert payout.state != PayoutState.PAID


@pytest.fixture
def jobs(network: Network) -> list[Job]:
    """Two workshops' jobs; one rate has cents, so that remainders wait for later."""
    made = [build_job(network, 100, workshop=shop) for shop in network.horn[:2]]
    Job.objects.filter(pk=made[1].pk).update(piece_rate_minor=56_037)
    made[1].refresh_from_db()
    return made


@settings(
    max_examples=20,
    # A game is short enough to read; shrinking it takes longer than a test may.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(start=START, steps=st.lists(STEP, max_size=16))
def test_any_order_of_things_keeps_the_books(
    start: tuple[int, int, int],
    steps: list[tuple[str, int, int]],
    network: Network,
    jobs: list[Job],
    maker: User,
    checker: User,
) -> None:
    with transaction.atomic():
        play = Play(network, jobs, maker, checker)
        begin = [("grade", 0, 500), ("grade", 1, 41), ("pay", 0, 0)]
        begin += [("send", 0, how) for how in start]
        for name, first, second in [*begin, *steps, ("pay", 0, 0), ("send", 0, 0)]:
            getattr(play, name)(first, second)
            play.check()
        connection.check_constraints()
        play.settle()
        transaction.set_rollback(True)
