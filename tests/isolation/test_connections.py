"""A connection, a thread, a task of an event loop, a worker: none carries a tenant over."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction
from django_scopes.exceptions import ScopeError

from artisans.models import Area, Workshop
from phone.models import Message
from tests.builders import build_network, build_tenant
from vrp.events.tasks import work
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import active_tenant, tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)
TURNS = 1_000


@pytest.fixture
def two() -> list[Tenant]:
    """One tenant with one area, another with two; each area names its tenant."""
    tenants = [build_tenant("one"), build_tenant("two")]
    for size, tenant in enumerate(tenants, start=1):
        with tenant_scope(tenant):
            for number in range(size):
                Area.objects.create(
                    tenant=tenant, code=str(number), name=tenant.slug, region="x"
                )
    return tenants


def seen() -> set[str]:
    """Whose areas raw SQL shows now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM artisans_area")
        return {name for (name,) in cursor.fetchall()}


def fail_within(tenant: Tenant) -> None:
    """A savepoint, in which the tenant is entered, that ends with a database error."""
    with transaction.atomic(), tenant_scope(tenant):
        assert seen() == {tenant.slug}
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")


def turn(number: int, tenants: list[Tenant]) -> None:
    """One use of the connection that ends well or badly, in one of many ways."""
    tenant, other = tenants[number % 2], tenants[1 - number % 2]
    match number % 7:
        case 0:
            with tenant_scope(tenant):
                assert seen() == {tenant.slug}
        case 1:  # an exception on the way
            with suppress(LookupError), tenant_scope(tenant):
                assert seen() == {tenant.slug}
                raise LookupError
        case 2:  # a rollback, which undoes the setting too
            with tenant_scope(tenant), transaction.atomic():
                assert seen() == {tenant.slug}
                transaction.set_rollback(True)
            with tenant_scope(tenant):
                assert seen() == {tenant.slug}
        case 3:  # a savepoint that fails inside another tenant's scope
            with tenant_scope(tenant), transaction.atomic():
                with pytest.raises(DatabaseError):
                    fail_within(other)
                # The server forgets what it was told within a savepoint.
                point = transaction.savepoint()
                with tenant_scope(other):
                    assert seen() == {other.slug}
                    transaction.savepoint_rollback(point)
                    assert seen() == {other.slug}
                assert seen() == {tenant.slug}
        case 4:  # a server-side cursor, read to its end
            with tenant_scope(tenant):
                rows = Area.objects.iterator(chunk_size=1)
                assert {row.name for row in rows} == {tenant.slug}
        case 5:  # one that is abandoned half way
            with tenant_scope(tenant), transaction.atomic():
                assert next(iter(Area.objects.iterator(chunk_size=1))).name
        case 6:  # scopes within scopes
            with tenant_scope(tenant):
                with tenant_scope(other):
                    assert seen() == {other.slug}
                assert seen() == {tenant.slug}


def test_two_tenants_take_turns_on_one_connection(two: list[Tenant]) -> None:
    for number in range(TURNS):
        turn(number, two)
        if number % 5 == 0:
            assert active_tenant() is None
            assert seen() == set()
            with pytest.raises(ScopeError):
                Area.objects.count()


def test_a_lazy_queryset_that_leaves_its_scope_shows_nothing(
    two: list[Tenant],
) -> None:
    with tenant_scope(two[0]):
        lazy = Area.objects.all()
    assert list(lazy) == []
    with tenant_scope(two[1]):
        assert list(lazy.all()) == []
    with tenant_scope(two[0]):
        assert len(lazy.all()) == 1


def test_an_open_cursor_never_shows_another_tenants_rows(two: list[Tenant]) -> None:
    """Rows are judged as they are fetched: those of a tenant that is left stay away."""
    for own in (True, False):
        with transaction.atomic(), tenant_scope(two[1]):
            rows = Area.objects.order_by("pk").iterator(chunk_size=1)
            names = [next(rows).name]
            with tenant_scope(two[0]):
                assert seen() == {"one"}
                if not own:
                    names += [row.name for row in rows]
            names += [row.name for row in rows]
            assert set(names) == {"two"}


def test_a_thread_begins_with_no_tenant(two: list[Tenant]) -> None:
    def begin() -> tuple[set[str], Any]:
        try:
            return seen(), active_tenant()
        finally:
            connections.close_all()

    with tenant_scope(two[1]), ThreadPoolExecutor(1) as pool:
        assert pool.submit(begin).result() == (set(), None)
        assert seen() == {"two"}


def test_threads_that_are_used_again_take_turns(two: list[Tenant]) -> None:
    def use(number: int) -> None:
        turn(number, two)
        assert seen() == set()

    def close(_: int) -> None:
        time.sleep(0.05)  # so that every thread of the pool gets one
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(200)))
        list(pool.map(close, range(4)))


def test_tasks_of_one_event_loop_keep_their_tenants(two: list[Tenant]) -> None:
    async def use(number: int) -> None:
        tenant = two[number % 2]
        with tenant_scope(tenant):
            for _ in range(5):
                assert await Area.objects.acount() == number % 2 + 1
                assert await sync_to_async(seen)() == {tenant.slug}
                names = {row.name async for row in Area.objects.all()}
                assert names == {tenant.slug}
                await asyncio.sleep(0)
        assert await sync_to_async(seen)() == set()

    async def all_of_them() -> None:
        await asyncio.gather(*(use(number) for number in range(40)))
        await sync_to_async(connections.close_all)()

    asyncio.run(all_of_them())


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A real Celery worker with two processes, on the test's database and Redis."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    base = settings.DATABASES["default"]
    where = f"postgresql://{base['USER']}:{base['PASSWORD']}@/{base['NAME']}"
    url = f"{where}?host={base['HOST']}"
    if base["PORT"]:
        url += f"&port={base['PORT']}"
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "vrp.celery", "worker", "-c", "2",
         "--pool", "prefork", "-l", "WARNING", "--without-gossip", "--without-mingle"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL,
             "SECRET_KEY": settings.SECRET_KEY},
    )  # fmt: skip
    yield process
    process.terminate()
    process.wait(30)


def test_a_worker_serves_two_tenants_by_turns(
    two: list[Tenant], worker: subprocess.Popen[bytes]
) -> None:
    """The same phone in both networks asks for help a hundred times; one in five tasks
    names the other tenant's row, one in seven a row that is not there."""
    rows: dict[int, list[int]] = {}
    for tenant in two:
        with tenant_scope(tenant):
            shop = build_network(tenant).horn[0]
            Workshop.objects.filter(pk=shop.pk).update(phone="+254700111222")
            rows[tenant.pk] = [
                Message.objects.create(
                    tenant=tenant,
                    direction="in",
                    workshop=shop,
                    phone="+254700111222",
                    text="help",
                    state="received",
                    provider_id=f"{tenant.slug}-{number}",
                ).pk
                for number in range(50)
            ]
    one, other = two
    for number, (left, right) in enumerate(
        zip(rows[one.pk], rows[other.pk], strict=True)
    ):
        if number % 5 == 0:
            work.delay("inbound", one.pk, right)
        if number % 7 == 0:
            work.delay("inbound", 10**9, left)
            work.delay("no such outbox", other.pk, right)
        work.delay("inbound", one.pk, left)
        work.delay("inbound", other.pk, right)
    wait_until_read(two, worker)
    for tenant in two:
        with tenant_scope(tenant):
            read = Message.objects.filter(direction="in")
            assert {row.tenant_id for row in read} == {tenant.pk}
            assert set(read.values_list("attempts", flat=True)) == {1}
            replies = Message.objects.filter(direction="out")
            assert 0 < replies.count() <= 5
            assert {row.workshop.tenant_id for row in replies} == {tenant.pk}


def wait_until_read(tenants: list[Tenant], worker: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert worker.poll() is None, "the worker died"
        left = 0
        for tenant in tenants:
            with tenant_scope(tenant):
                left += Message.objects.filter(
                    state__in=("received", "reading")
                ).count()
        if not left:
            return
        time.sleep(0.2)
    raise AssertionError(f"{left} messages were not read")
