"""What one unit of work costs: queries, processor time, bytes. The base of docs/scale.md.

The processor time is this process's and its PostgreSQL backend's, for one unit, without
gunicorn or Celery around it; calls to carrier and wallet are left out. Bytes are a table
with its indexes divided by its rows.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.test import Client
from django.utils import timezone

from artisans.models import Workshop
from bench import report
from bench.lab import Laboratory, laboratory
from bench.multiply import Growth, multiply, settle
from bench.scenery import Scenery, demo
from bench.timing import cpu_seconds
from matching.services import OUTBOX, request_plan
from orders.models import Delivery, Job, Order, WorkOrder
from orders.services.deliveries import book_delivery, receive_delivery
from orders.services.jobs import offer_job
from payments.daraja import Accepted
from payments.models import Payout, PayoutRun
from payments.services.payouts import take_answer
from payments.services.results import take_result
from payments.services.runs import approve_run, make_run
from phone.carrier import Answer
from phone.carrier import Verdict as Sent
from phone.models import Channel, Message
from phone.services.messages import settle_answer
from qc.models import Batch
from qc.services import Verdict, grade_batch
from vrp.accounts.models import User
from vrp.events import outbox
from vrp.events.seal import seal
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

ACTOR = Actor.system("bench")
PIECES = 100
# Shown with fewer rows than this a table's size says little.
ENOUGH = 1_000


@dataclass(frozen=True)
class Size:
    """Orders that go all the way; the factor of rows for the sizes."""

    orders: int = 8
    factor: int = 25


QUICK, LONG = Size(), Size(orders=40, factor=40)


def main(arguments: list[str]) -> int:
    """Print the units."""
    size = LONG if "--long" in arguments else QUICK
    report.heading(
        "Units of work",
        notes=f"Jobs of {PIECES} pieces. ms: processor time here and in PostgreSQL.",
    )
    lab = laboratory()
    measure(lab, demo(lab), size)
    return 0


def measure(lab: Laboratory, scenery: Scenery, size: Size) -> dict[str, Unit]:
    """Take orders all the way and print what each step cost; then bytes a row."""
    database = lab.database("units", template=scenery.database.name)
    units: dict[str, Unit] = {}
    with lab.on(database):
        tenant = Tenant.objects.get(pk=scenery.tenant_id)
        with tenant_scope(tenant):
            way = Way(lab, tenant, scenery, units)
            for number in range(size.orders):
                way.go(number)
            way.pay()
            way.seal()
    _print(units)
    with contextlib.closing(lab.superuser(database.name)) as direct:
        cursor = direct.cursor()
        multiply(cursor, scenery.tenant_id, size.factor, Growth.HISTORY)
        settle(cursor)
        _print_bytes(cursor)
    return units


@dataclass
class Unit:
    """Queries and processor seconds of each time the step was done."""

    queries: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    units: list[int] = field(default_factory=list)


class Way:
    """One order after the other from the buyer's request to the receipt."""

    def __init__(
        self, lab: Laboratory, tenant: Tenant, scenery: Scenery, units: dict[str, Unit]
    ) -> None:
        self.lab, self.tenant, self.scenery, self.units = lab, tenant, scenery, units
        self.client = Client(headers={"Authorization": f"Bearer {scenery.api_key}"})
        self.grader = User.objects.get(username=scenery.people["qc"])
        self.route = Channel.objects.get().route_secret

    def step(self, name: str, call: Callable[[], Any], units: int = 1) -> Any:
        """Do it, and note what it took for each of ``units``."""
        unit, kept = self.units.setdefault(name, Unit()), []
        seen = 0

        def count(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
            nonlocal seen
            seen += 1
            return execute(sql, params, many, context)

        with connection.execute_wrapper(count):
            took = cpu_seconds(lambda: kept.append(call()), self.lab.backends)
        unit.queries.append(seen)
        unit.seconds.append(took)
        unit.units.append(units)
        return kept[0]

    def go(self, number: int) -> None:
        """From the order to the graded batch of one of its jobs."""
        order = self.step("order placed (API)", lambda: self._order(number))
        work = list(WorkOrder.objects.filter(line__order=order))
        plan = request_plan(tenant=self.tenant, work_orders=work, actor=ACTOR)
        self.step("plan of one order", lambda: outbox.run(OUTBOX, plan.pk))
        job = self.step(
            "job offered (and its SMS written)", lambda: self._offer(work[0])
        )
        message = Message.objects.filter(workshop=job.workshop).latest("id")
        self.step("SMS sent (answer kept)", lambda: self._sent(message))
        self.step("delivery report", lambda: self._report(message))
        self._dial(job)
        delivery = self.step("delivery booked", lambda: self._book(job))
        self.step("delivery received", lambda: self._receive(delivery))
        batch = Batch.objects.get(delivery_line__delivery=delivery)
        self.step(f"batch of {PIECES} graded", lambda: self._grade(batch))
        self.step("order page (API)", lambda: self._read(order))

    def _order(self, number: int) -> Order:
        order = {
            "po_number": f"UNIT-{number}",
            "ship_by": str(timezone.localdate() + timedelta(days=35)),
            "lines": [{"sku": self.scenery.sku, "quantity": PIECES}],
        }
        answer = self.client.post(
            "/api/v1/orders",
            json.dumps(order),
            content_type="application/json",
            headers={"Idempotency-Key": uuid.uuid4().hex},
        )
        _expect(answer, 201)
        return Order.objects.get(public_id=answer.json()["id"])

    def _read(self, order: Order) -> None:
        _expect(self.client.get(f"/api/v1/orders/{order.public_id}"), 200)

    def _offer(self, work: WorkOrder) -> Job:
        taken = Job.objects.filter(state="offered").values("workshop")
        free = Workshop.objects.filter(
            skills__skill=work.component.skill, left_on__isnull=True
        )
        return offer_job(
            work_order=work,
            workshop=free.exclude(pk__in=taken).order_by("id")[0],
            quantity=PIECES,
            actor=ACTOR,
        )

    def _sent(self, message: Message) -> None:
        claimed = outbox.claim(_outbox("sms"), message.pk)
        if claimed is None:
            raise RuntimeError("The SMS was not there to be sent.")
        answer = Answer(Sent.ACCEPTED, provider_id=f"ATXid_{message.pk}")
        settle_answer(message=claimed, answer=answer)

    def _report(self, message: Message) -> None:
        form = {
            "id": f"ATXid_{message.pk}",
            "status": "Success",
            "phoneNumber": message.phone,
            "networkCode": "63902",
        }
        _expect(self._post("sms/delivery", form), 200)

    def _dial(self, job: Job) -> None:
        """Answer the offer by phone, as a person does; every screen is one turn."""
        session, text = f"ATUid_{uuid.uuid4().hex}", ""
        for key in ("", "1", "1", "1"):
            text = f"{text}*{key}".strip("*")
            turn = partial(self._turn, session, job.workshop.phone, text)
            said = self.step("USSD turn", turn)
        job.refresh_from_db()
        if job.state != "accepted":
            raise RuntimeError(
                f"Job {job.number} is {job.state}; the phone says {said}"
            )

    def _turn(self, session: str, phone: str, text: str) -> str:
        form = {
            "sessionId": session,
            "phoneNumber": phone,
            "networkCode": "63902",
            "serviceCode": "*384*55#",
            "text": text,
        }
        answer = self._post("ussd", form)
        _expect(answer, 200)
        return answer.content.decode()

    def _post(self, what: str, form: dict[str, str]) -> Any:
        """As the carrier does; the test client would send multipart."""
        return self.client.post(
            f"/phone/{self.route}/{what}",
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
        )

    def _book(self, job: Job) -> Delivery:
        return book_delivery(
            workshop=job.workshop,
            pieces={job: PIECES},
            booked_for=timezone.localdate(),
            actor=ACTOR,
        )

    def _receive(self, delivery: Delivery) -> None:
        counts = {line.pk: PIECES for line in delivery.lines.all()}
        receive_delivery(delivery=delivery, counts=counts, actor=ACTOR)

    def _grade(self, batch: Batch) -> None:
        verdicts = [Verdict("aa", PIECES - 20), Verdict("a", 20)]  # type: ignore[arg-type]
        grade_batch(batch=batch, verdicts=verdicts, grader=self.grader, actor=ACTOR)

    def pay(self) -> None:
        """One run over everything owed, and a receipt for each payment."""
        maker = User.objects.get(username=self.scenery.people["finance_maker"])
        checker = User.objects.get(username=self.scenery.people["finance_checker"])
        run: PayoutRun = make_run(tenant=self.tenant, made_by=maker, actor=ACTOR)
        count = run.payouts.count()
        self.step(
            "payout approved (its part of the run)",
            lambda: approve_run(
                run=run, approver=checker, total_minor=run.total_minor, actor=ACTOR
            ),
            units=count,
        )
        for payout in run.payouts.all():
            self.step("payout sent (answer kept)", partial(self._send, payout))
            self.step("payout result (ledger, SMS)", partial(self._result, payout))

    def _send(self, payout: Payout) -> None:
        outbox.claim(_outbox("payout"), payout.pk)
        take_answer(payout.pk, Accepted(f"AG_{payout.pk}"))

    def _result(self, payout: Payout) -> None:
        receipt = f"R{payout.pk:09d}"
        result = {
            "ResultType": 0,
            "ResultCode": 0,
            "ResultDesc": "ok",
            "OriginatorConversationID": str(payout.originator_id),
            "ConversationID": f"AG_{payout.pk}",
            "TransactionID": receipt,
            "ResultParameters": {
                "ResultParameter": [
                    {"Key": "TransactionAmount", "Value": payout.amount_minor // 100},
                    {"Key": "TransactionReceipt", "Value": receipt},
                ]
            },
        }
        body = json.dumps({"Result": result}).encode()
        callback = take_result(tenant=self.tenant, body=body)
        payout.refresh_from_db()
        if payout.state != "paid":
            raise RuntimeError(f"{payout.state}: {callback.effect}")

    def seal(self) -> None:
        """Chain the events so far."""
        from vrp.events.models import Event

        count = Event.objects.filter(number__isnull=True).count()
        self.step("event sealed", lambda: seal(self.tenant, limit=count), units=count)


def _outbox(name: str) -> outbox.Outbox:
    return next(one for one in outbox.outboxes() if one.name == name)


def _expect(answer: Any, status: int) -> None:
    if answer.status_code != status:
        raise RuntimeError(f"{answer.status_code}: {answer.content[:300]!r}")


def _print(units: dict[str, Unit]) -> None:
    rows = []
    for name, unit in units.items():
        queries = statistics.median(
            seen / count for seen, count in zip(unit.queries, unit.units, strict=True)
        )
        took = statistics.median(
            used / count for used, count in zip(unit.seconds, unit.units, strict=True)
        )
        rows.append((name, len(unit.units), f"{queries:.3g}", report.ms(took)))
    report.table(("one", "times", "queries", "ms"), rows)


def _print_bytes(cursor: Any) -> None:
    cursor.execute(
        """SELECT relname, reltuples::bigint, pg_relation_size(oid),
                  pg_indexes_size(oid), pg_total_relation_size(oid)
           FROM pg_class
           WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
             AND reltuples >= %s ORDER BY relname""",
        [ENOUGH],
    )
    rows = [
        (name, f"{count:,}", *(f"{size / count:,.0f}" for size in sizes))
        for name, count, *sizes in cursor.fetchall()
    ]
    report.table(("table", "rows", "bytes a row", "indexes", "in all"), rows)
