"""One tenant among a hundred of its size against the same tenant alone."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace

from bench import report
from bench.growth import compare
from bench.lab import Laboratory, laboratory
from bench.multiply import Growth, multiply, settle
from bench.scenery import Scenery, count_rows, demo
from bench.timing import Sample


@dataclass(frozen=True)
class Size:
    """So many tenants; then rounds of ``each`` calls."""

    tenants: int = 100
    rounds: int = 3
    each: int = 2


QUICK, LONG = Size(), Size(rounds=12, each=5)


def main(arguments: list[str]) -> int:
    """Print the ratios, the worst first."""
    size = LONG if "--long" in arguments else QUICK
    report.heading(
        f"One tenant of {size.tenants} against one of 1 (the same rows per tenant)",
        notes="Processor time of the whole request, here and in PostgreSQL.",
    )
    lab = laboratory()
    alone = demo(lab)
    measure(lab, alone, crowded(lab, alone, size.tenants), size)
    return 0


def crowded(lab: Laboratory, alone: Scenery, count: int) -> Scenery:
    """The scenery with ``count - 1`` more tenants that hold the same rows."""
    began = time.monotonic()
    database = lab.database("crowded", template=alone.database.name)
    with contextlib.closing(lab.superuser(database.name)) as connection:
        cursor = connection.cursor()
        cursor.execute(
            """INSERT INTO tenancy_tenant
               SELECT (jsonb_populate_record(one, jsonb_build_object(
                   'id', max_id + k, 'slug', 'tenant-' || k, 'name', 'Tenant ' || k
               ))).*
               FROM tenancy_tenant one, generate_series(1, %(more)s) AS copy(k),
                    (SELECT max(id) AS max_id FROM tenancy_tenant) AS last
               WHERE one.id = %(tenant)s RETURNING id""",
            {"more": count - 1, "tenant": alone.tenant_id},
        )
        others = [row[0] for row in cursor.fetchall()]
        added = multiply(cursor, alone.tenant_id, 0, Growth.TENANTS, tenants=others)
        settle(cursor)
        rows = count_rows(cursor)
    took = time.monotonic() - began
    print(f"{count} tenants: {added:,} rows added, {rows:,} in all ({took:.0f} s)")
    return replace(alone, database=database, rows=rows)


def measure(
    lab: Laboratory, alone: Scenery, among: Scenery, size: Size
) -> dict[str, dict[str, Sample]]:
    """Open every page as the same tenant in both; prints a table, returns the costs."""
    return compare(
        lab,
        {"alone": alone, f"1 of {size.tenants}": among},
        rounds=size.rounds,
        each=size.each,
    )
