"""From the state landed last, with data in it, to today's code, while people work on it."""

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest

from tests.keeping.conftest import Place

LEDGER = """SELECT tenant_id, account_id, sum(amount_minor) FROM payments_posting
            GROUP BY 1, 2 ORDER BY 1, 2"""
SMOKE = """
from django.core.management import call_command
from django.test import Client
from payments.queries import book_differences, trial_balance
from vrp.accounts.models import Membership
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

call_command("verify_events", "--seal")
for tenant in Tenant.objects.all():
    with tenant_scope(tenant):
        assert trial_balance().off == {}
        assert book_differences() == []
people = {m.role: m.user for m in Membership.objects.filter(tenant__slug="soko")}
bad = []
for role, pages in {
    "planner": ["", "orders/", "workshops/"],
    "finance_maker": ["", "payouts/", "ledger/", "payouts/new/"],
    "qc": [""],
    "auditor": ["", "orders/", "payouts/", "ledger/", "workshops/"],
}.items():
    client = Client()
    client.force_login(people[role])
    for page in pages:
        status = client.get(f"/ops/{page}", follow=True).status_code
        if status != 200:
            bad.append((role, page, status))
assert not bad, bad
"""


class Traffic:
    """What the old code does meanwhile: reads, writes, and one long transaction."""

    def __init__(self, place: Place) -> None:
        self.place, self.reads = place, 0
        self.problems: list[str] = []
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._read), threading.Thread(target=self._hold)
        ]  # fmt: skip

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: Any) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def _connect(self) -> Any:
        connection = psycopg2.connect(self.place.url())
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM tenancy_tenant WHERE slug = 'soko'")
            tenant = cursor.fetchone()[0]
            cursor.execute("SELECT set_config('vrp.tenant', %s, false)", [str(tenant)])
        return connection

    def _read(self) -> None:
        """The columns that the landed code knows, and a write to each hot table."""
        # Not "with": psycopg2 would make one transaction of it all.
        connection = self._connect()
        cursor = connection.cursor()
        while not self._over.is_set():
            try:
                cursor.execute("SELECT po_number, state FROM orders_order")
                cursor.execute("UPDATE orders_order SET note = note WHERE id = 1")
                cursor.execute("UPDATE phone_channel SET sender = sender")
                cursor.execute("SELECT slug, name FROM tenancy_tenant")
                cursor.execute("SELECT count(*) FROM payments_walletcredential")
            except psycopg2.Error as error:
                self.problems.append(str(error))
                break
            self.reads += 1
            time.sleep(0.02)
        connection.close()

    def _hold(self) -> None:
        """A report that reads tables in one transaction, until it has been in the way
        for longer than a migration waits."""
        connection, watch = self._connect(), self._connect()
        connection.autocommit = False
        with connection.cursor() as cursor, watch.cursor() as watcher:
            for table in ("orders_apikey", "phone_channel", "tenancy_tenant"):
                cursor.execute(f"SELECT count(*) FROM {table}")
            while not self._over.wait(0.05):
                watcher.execute(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted"
                    " AND %s = ANY (pg_blocking_pids(pid))",
                    [connection.info.backend_pid],
                )
                if watcher.fetchone() != (0,):
                    self._over.wait(1.5)
                    break
        connection.close()
        watch.close()


@pytest.fixture(scope="module")
def landed(new_place: Callable[[], Place]) -> Place:
    place = new_place()
    place.load_base()
    return place


def test_from_the_landed_state_while_it_serves(landed: Place) -> None:
    ledger = landed.rows(LEDGER)
    payouts = landed.rows("SELECT id, state, receipt FROM payments_payout ORDER BY id")
    assert {state for _, state, _ in payouts} == {
        "paid", "failed", "unknown", "queued", "draft"
    }  # fmt: skip
    with Traffic(landed) as traffic:
        said = landed.manage("migrate", "-v0", "--lock-seconds", "0.5", "--tries", "60")
    assert "trying again" in said, "the long transaction was in the way"
    assert traffic.problems == []
    assert traffic.reads > 20, "people went on working"
    landed.manage("migrate", "--check")
    assert landed.rows(LEDGER) == ledger
    assert payouts == landed.rows(
        "SELECT id, state, receipt FROM payments_payout ORDER BY id"
    )
    landed.more["VRP_EMBEDDED"] = "1"  # static files as they lie in the tree
    landed.python(SMOKE)
