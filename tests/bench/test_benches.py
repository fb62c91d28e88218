"""Every bench runs at its smallest size, so that none of them rots. No time is judged."""

import importlib
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bench import api, growth, imports, matching, memory, tenants, units
from bench.__main__ import BENCHES, overview
from bench.lab import Laboratory
from bench.multiply import Growth, multiply
from bench.scenery import Scenery, grown
from bench.timing import Sample, in_turns
from orders.models import Order
from vrp.embedded.options import PROJECT
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope


def test_all_benches_are_listed_and_can_be_run() -> None:
    for name in BENCHES:
        assert callable(importlib.import_module(f"bench.{name}").main)
        assert f"  {name} " in overview()
    found = subprocess.run(
        [sys.executable, "-m", "bench", "--list"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == overview().strip()


def test_ratios_are_taken_within_a_round() -> None:
    """A machine that is half as fast in the second round changes no ratio."""
    slow = Sample([[2.0, 2.0], [4.0, 4.0]])
    assert slow.ratio_to(Sample([[1.0, 1.0], [2.0, 2.0]])) == (2.0, 2.0, 2.0)
    order: list[str] = []
    calls = {name: (lambda name=name: order.append(name)) for name in "ab"}
    in_turns(calls, rounds=2, each=1, warm_up=0)
    assert order == ["a", "b", "b", "a"]


def test_api(lab: Laboratory, scenery: Scenery) -> None:
    taken = api.measure(lab, scenery, api.SMOKE)
    assert all(sample.p50 > 0 for sample in taken.values())


def test_every_page_opens(lab: Laboratory, scenery: Scenery) -> None:
    taken = growth.compare(lab, {"1 x": scenery}, rounds=1, each=1)
    assert {"order page", "API: orders", "Today: planner", "ledger"} <= taken.keys()


def test_imports_and_plans(lab: Laboratory, scenery: Scenery) -> None:
    small = imports.Size(workshops=2, people=2, orders=2, rounds=1)
    assert set(imports.measure(lab, scenery, small)) == {"workshops", "orders"}
    row = matching.measure(lab, scenery, 1, matching.Size(pieces=60, rounds=1))
    assert row.pairs


def test_units(lab: Laboratory, scenery: Scenery) -> None:
    found = units.measure(lab, scenery, units.Size(orders=1, factor=2))
    assert sum(found["USSD turn"].queries) > 0
    assert len(found["payout result (ledger, SMS)"].queries) == 1


def test_memory_of_one_action(lab: Laboratory, scenery: Scenery) -> None:
    assert memory.action_costs(lab, scenery, "cursor") >= 0


@pytest.mark.parametrize("growth_kind", [Growth.HISTORY, Growth.NETWORK])
def test_rows_are_multiplied(
    lab: Laboratory, scenery: Scenery, growth_kind: Growth
) -> None:
    copy = grown(lab, scenery, "three", 3, growth_kind)
    again = grown(lab, copy, "nine", 3, growth_kind)
    with lab.on(again.database):
        tenant = Tenant.objects.get(pk=scenery.tenant_id)
        with tenant_scope(tenant):
            assert Order.objects.count() == 9
            assert Order.objects.filter(lines__work_orders__isnull=True).count() == 0


def test_other_tenants_get_the_same_rows(lab: Laboratory, scenery: Scenery) -> None:
    crowd = tenants.crowded(lab, scenery, 3)
    with lab.on(crowd.database):
        for tenant in Tenant.objects.all():
            with tenant_scope(tenant):
                assert Order.objects.count() == 1
    with closing(lab.superuser(crowd.database.name)) as direct:
        cursor = direct.cursor()
        assert multiply(cursor, scenery.tenant_id, 1, Growth.HISTORY) == 0


def test_no_room_of_the_product_knows_the_bench() -> None:
    for room in ("vrp", "artisans", "orders", "qc", "payments", "matching", "phone"):
        for path in Path(PROJECT / room).rglob("*.py"):
            assert "from bench" not in path.read_text(), path
