"""Several workers and several people at the same moment, on real connections."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import redis
from django.conf import settings as project
from django.db import connections

from payments.daraja import Daraja
from payments.enums import PayoutState
from payments.models import (
    Payable,
    Payout,
    PayoutRun,
    WalletCallback,
    WalletCredential,
)
from payments.queries import book_differences
from payments.services.results import take_result
from payments.services.runs import approve_run
from payments.services.settling import mark_paid
from payments.tokens import TokenStore
from tests.builders import SYSTEM, Network
from tests.payments.conftest import Courier, approved, run_of
from tests.payments.test_callbacks import result
from tests.standin import StandIn
from vrp.accounts.models import User
from vrp.errors import DomainError
from vrp.events import outbox
from vrp.events.models import Event
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at_once(tenant: Tenant) -> Iterator[Callable[..., list[Any]]]:
    """``at_once(4, work)``: run ``work(number)`` in so many threads, together."""
    with ThreadPoolExecutor(8) as pool:

        def run(count: int, work: Callable[[int], Any]) -> list[Any]:
            start = Barrier(count)

            def one(number: int) -> Any:
                try:
                    start.wait(10)
                    with tenant_scope(tenant):
                        return work(number)
                except DomainError as error:
                    return error
                finally:
                    connections.close_all()

            return list(pool.map(one, range(count)))

        yield run


def test_one_payment_whoever_sends_approves_and_tells(
    at_once: Callable[..., list[Any]],
    tenant: Tenant,
    graded: Callable[..., Payable],
    courier: Courier,
    standin: StandIn,
    maker: User,
    checker: User,
) -> None:
    graded(30)
    made = at_once(4, lambda _: run_of(tenant, maker))
    assert sum(isinstance(one, PayoutRun) for one in made) == 1
    assert PayoutRun.objects.count() == 1
    run = PayoutRun.objects.get()

    def approve(_: int) -> PayoutRun:
        return approve_run(
            run=run, approver=checker, total_minor=run.total_minor, actor=SYSTEM
        )

    at_once(4, approve)
    payout = Payout.objects.get()
    assert at_once(4, lambda _: outbox.run("payout", payout.pk)).count(True) == 1
    raw = json.dumps(courier.wait(1)[0][1]).encode()
    at_once(4, lambda _: take_result(tenant=tenant, body=raw))
    payout.refresh_from_db()
    assert payout.state == PayoutState.PAID
    assert payout.callbacks.get().repeats == 3
    assert book_differences() == []
    assert len(standin.wallet(payout.phone.removeprefix("+"))) == 1


def test_one_receipt_told_for_two_payments_at_the_same_moment(
    at_once: Callable[..., list[Any]],
    tenant: Tenant,
    network: Network,
    graded: Callable[..., Payable],
    credential: WalletCredential,
    maker: User,
    checker: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both have looked for the receipt and found none before either writes it."""
    graded(30)
    graded(30, network.horn[1])
    payouts = list(approved(tenant, maker, checker).payouts.all())
    for payout in payouts:
        assert outbox.claim(outbox._outboxes["payout"], payout.pk)
    both = Barrier(2)

    def together(*args: Any, **more: Any) -> None:
        both.wait(10)
        mark_paid(*args, **more)

    monkeypatch.setattr("payments.services.results.mark_paid", together)
    bodies = [json.dumps(result(str(one.originator_id))).encode() for one in payouts]
    at_once(2, lambda number: take_result(tenant=tenant, body=bodies[number]))
    states = sorted(Payout.objects.values_list("state", flat=True))
    assert states == [PayoutState.PAID, PayoutState.REVIEW]
    row = WalletCallback.objects.get(is_conflict=True)
    assert row.payout.state == PayoutState.REVIEW
    assert row.effect == "a receipt that another payment has"
    assert Event.objects.filter(name="wallet.conflict").count() == 1
    assert book_differences() == []


def test_many_workers_share_one_token(
    at_once: Callable[..., list[Any]],
    tenant: Tenant,
    credential: WalletCredential,
    standin: StandIn,
) -> None:
    before = minted(standin)
    tokens = at_once(6, lambda _: Daraja(credential).tokens.get())
    assert len(set(tokens)) == 1
    fresh = at_once(6, lambda _: Daraja(credential).tokens.replace(tokens[0]))
    assert len(set(fresh)) == 1
    assert fresh[0] != tokens[0]
    assert minted(standin) - before == 2


def minted(standin: StandIn) -> int:
    return int(standin.state().get("tokens_minted", 0))


def test_a_forgotten_token_is_replaced_once(
    tenant: Tenant,
    graded: Callable[..., Payable],
    courier: Courier,
    standin: StandIn,
    maker: User,
    checker: User,
    credential: WalletCredential,
) -> None:
    Daraja(credential).tokens.get()
    standin.faults({"expire_tokens": True})
    graded(30)
    payout = approved(tenant, maker, checker).payouts.get()
    assert outbox.run("payout", payout.pk)
    payout.refresh_from_db()
    assert payout.state == PayoutState.ACCEPTED
    assert payout.attempts == 1


def test_without_redis_a_payment_still_goes_out(
    tenant: Tenant,
    graded: Callable[..., Payable],
    courier: Courier,
    maker: User,
    checker: User,
    settings: Any,
) -> None:
    graded(30)
    payout = approved(tenant, maker, checker).payouts.get()
    settings.REDIS_URL = "unix:///nowhere/redis.sock?db=0"
    assert outbox.run("payout", payout.pk)
    payout.refresh_from_db()
    assert payout.state == PayoutState.ACCEPTED


def test_the_stored_token_is_not_in_clear(credential: WalletCredential) -> None:
    store = TokenStore(credential, lambda: ("plain-token", 3599))
    assert store.get() == "plain-token"
    client = redis.Redis.from_url(project.REDIS_URL)
    kept = client.get(store.key)
    ttl = client.ttl(store.key)
    client.close()
    assert b"plain-token" not in kept
    assert 3_500 < ttl <= 3_539
