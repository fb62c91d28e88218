"""Money's cast: a wallet account at the stand-in, graded work, and a courier.

The courier stands between wallet and product: the stand-in's callbacks reach it over
HTTP, and a test hands them on to our routes when, and as often as, it likes.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from artisans.models import Workshop
from orders.services.deliveries import book_delivery, receive_delivery
from payments.enums import PayoutState, QueryState
from payments.models import Payable, Payout, PayoutRun, StatusQuery, WalletCredential
from payments.services.runs import approve_run, make_run
from payments.services.wallet import set_credential
from qc.enums import Grade
from qc.models import Batch
from qc.services import (
    Verdict,
    ensure_default_defects,
    grade_batch,
    open_batch,
)
from tests.builders import SYSTEM, Network, build_day, build_job
from tests.simulators.product import Product, Running
from tests.standin import StandIn, standin, standin_server  # noqa: F401
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.events import outbox
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant


@pytest.fixture
def maker(person: Callable[..., User]) -> User:
    return person(Role.FINANCE_MAKER, name="maker")


@pytest.fixture
def checker(person: Callable[..., User]) -> User:
    return person(Role.FINANCE_CHECKER, name="checker")


def grade(
    network: Network, pieces: int, *, workshop: Workshop | None = None, good: int = -1
) -> Batch:
    """Accepted pendant work (KES 560 a piece): ``good`` A and the rest scrap."""
    job = build_job(network, max(pieces, 30), workshop=workshop)
    delivery = book_delivery(
        workshop=job.workshop,
        pieces={job: pieces},
        booked_for=build_day(0),
        actor=SYSTEM,
    )
    line = delivery.lines.get()
    receive_delivery(delivery=delivery, counts={line.pk: pieces}, actor=SYSTEM)
    batch = open_batch(job=line.job, counted=pieces, delivery_line=line, actor=SYSTEM)
    good = pieces if good < 0 else good
    grade_batch(
        batch=batch,
        verdicts=[Verdict(Grade.A, good), *_scrap(network, pieces - good)],
        grader=_grader(network.tenant),
        actor=SYSTEM,
    )
    batch.refresh_from_db()
    return batch


def _scrap(network: Network, count: int) -> list[Verdict]:
    if not count:
        return []
    defects = ensure_default_defects(tenant=network.tenant)
    quality = next(row for row in defects if row.defect_class == "quality")
    return [Verdict(Grade.SCRAP, count, quality)]


def _grader(tenant: Tenant) -> User:
    return User.objects.get_or_create(username=f"{tenant.slug}-grader")[0]


@pytest.fixture
def graded(network: Network) -> Callable[..., Payable]:
    """``graded(98)``: 98 accepted pendants of W-017, as a payable."""

    def make(pieces: int, workshop: Workshop | None = None) -> Payable:
        batch = grade(network, pieces, workshop=workshop)
        return Payable.objects.get(inspection__batch=batch)

    return make


def run_of(tenant: Tenant, maker: User, **more: Any) -> PayoutRun:
    return make_run(tenant=tenant, made_by=maker, actor=Actor.user(maker), **more)


def approved(tenant: Tenant, maker: User, checker: User, **more: Any) -> PayoutRun:
    run = run_of(tenant, maker, **more)
    return approve_run(
        run=run,
        approver=checker,
        total_minor=run.total_minor,
        actor=Actor.user(checker),
    )


def now_made_by(user: User) -> None:
    """Let every run be this person's, as only the owner of the tables can."""
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE payments_payoutrun DISABLE TRIGGER USER")
        PayoutRun.objects.update(made_by=user)
        connection.check_constraints()
        cursor.execute("ALTER TABLE payments_payoutrun ENABLE TRIGGER USER")


def work_due() -> int:
    """What a worker would do now: claim and deliver every due row of this room."""
    done = 0
    for name, model, ready in (
        ("payout", Payout, PayoutState.QUEUED),
        ("wallet_query", StatusQuery, QueryState.QUEUED),
    ):
        rows = model.objects.filter(state=ready, due_at__lte=timezone.now())
        for pk in rows.order_by("id").values_list("pk", flat=True):
            done += outbox.run(name, pk)
    return done


def make_due() -> None:
    """Let every waiting row of this room be due now."""
    past = timezone.now() - timedelta(seconds=1)
    Payout.objects.filter(state=PayoutState.QUEUED).update(due_at=past)
    StatusQuery.objects.filter(state=QueryState.QUEUED).update(due_at=past)


@dataclass
class Courier:
    """Holds the wallet's callbacks back until a test hands them on."""

    product: Product
    client: Client
    handed: int = 0
    answers: list[int] = field(default_factory=list)

    def wait(self, count: int = 1, seconds: float = 5) -> list[tuple[str, Any]]:
        """Callbacks not handed on yet, once there are so many."""
        end = time.monotonic() + seconds
        while len(self.product.calls) - self.handed < count:
            assert time.monotonic() < end, f"{count} callbacks did not come"
            time.sleep(0.01)
        return list(self.product.calls)[self.handed :]

    def hand_on(self, count: int = 1) -> None:
        """Wait for callbacks and post them to our routes, in the order they came."""
        for path, body in self.wait(count)[:count]:
            self.handed += 1
            self.post(path, body)

    def post(self, path: str, body: Any) -> int:
        """Post one body to our routes; returns the status."""
        answer = self.client.post(
            path, json.dumps(body), content_type="application/json"
        )
        self.answers.append(answer.status_code)
        return answer.status_code


@pytest.fixture(scope="session")
def product_server() -> Iterator[Product]:
    with Running() as product:
        yield product


@pytest.fixture
def credential(
    tenant: Tenant,
    standin: StandIn,  # noqa: F811
    product_server: Product,
    settings: Any,
) -> WalletCredential:
    """Soko's account at the stand-in; its callbacks go to the courier.

    Its token is its own: the key in Redis comes from the encrypted consumer key, which
    is another text each time.
    """
    settings.STANDIN_URL = settings.DARAJA_URL = standin.url
    settings.PUBLIC_URL = product_server.url
    settings.CARRIER_TIMEOUT = (1, 1)
    return set_credential(
        tenant=tenant,
        shortcode="600111",
        consumer_key="key",
        consumer_secret="secret",
        initiator_name="payer",
        initiator_password="standin-initiator",
        actor=SYSTEM,
    )


@pytest.fixture
def courier(credential: WalletCredential, product_server: Product) -> Courier:
    product_server.calls.clear()
    return Courier(product_server, Client(raise_request_exception=True))
