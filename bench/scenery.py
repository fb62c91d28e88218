"""What is measured on: the demo's tenant, grown to a size, with its keys and people."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bench.lab import Database, Laboratory
from bench.multiply import Growth, multiply, settle

TENANT = "soko-demo"


@dataclass(frozen=True)
class Scenery:
    """A database with a tenant in it. ``people`` maps a role to a user's name."""

    database: Database
    tenant_id: int
    api_key: str
    slug: str = TENANT
    sku: str = "HPN-01"
    people: dict[str, str] = field(default_factory=dict)
    rows: int = 0


_demo: dict[int, Scenery] = {}


def demo(lab: Laboratory) -> Scenery:
    """The demo as ``bin/up`` loads it, once a laboratory: 137 workshops, 2,564 people."""
    if id(lab) not in _demo:
        began = time.monotonic()
        _demo[id(lab)] = _load_demo(lab)
        print(f"Demo tenant: {time.monotonic() - began:.0f} s", flush=True)
    return _demo[id(lab)]


def _load_demo(lab: Laboratory) -> Scenery:
    from vrp.demo.load import PEOPLE, load_demo
    from vrp.tenancy.models import Tenant

    database = lab.database("demo")
    with lab.on(database):
        keys = load_demo()
        tenant = Tenant.objects.get(slug=TENANT)
    people = {
        role: user for role, (user, _, slug, _) in PEOPLE.items() if slug == TENANT
    }
    key = next(iter(keys[TENANT].values()))
    return Scenery(database, tenant.pk, key, people=people)


# Rows by the thousand a tenant, which need not grow to fill every list.
HEAVY = ("qc.Item", "qc.ItemGrade", "matching.JobRecord", "artisans.Artisan")


def grown(
    lab: Laboratory,
    base: Scenery,
    name: str,
    factor: int,
    growth: Growth,
    *,
    leave: Sequence[str] = (),
) -> Scenery:
    """A copy of ``base`` with ``factor`` times its rows (but not of those in ``leave``)."""
    began = time.monotonic()
    database = lab.database(name, template=base.database.name)
    with contextlib.closing(lab.superuser(database.name)) as connection:
        cursor = connection.cursor()
        added = multiply(cursor, base.tenant_id, factor, growth, leave=leave)
        settle(cursor)
        rows = count_rows(cursor)
    print(
        f"{name}: {added:,} rows added, {rows:,} in all "
        f"({time.monotonic() - began:.0f} s)",
        flush=True,
    )
    return replace(base, database=database, rows=rows)


def count_rows(cursor: object) -> int:
    """Rows of all tables, as the statistics have them."""
    run = cursor.execute  # type: ignore[attr-defined]
    run(
        "SELECT COALESCE(sum(reltuples) FILTER (WHERE reltuples > 0), 0)::bigint"
        " FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    return int(cursor.fetchone()[0])  # type: ignore[attr-defined]
