"""CSV imports of workshops and of orders against a raw COPY of the same rows."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from artisans.models import Artisan, Skill, Workshop, WorkshopSkill
from bench import report
from bench.lab import Laboratory, laboratory
from bench.scenery import Scenery, demo
from bench.timing import Sample, in_turns
from orders.models import Buyer, Order, OrderLine, PartNeed, WorkOrder
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.imports.services import load_content
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

ACTOR = Actor.system("bench")
NETWORK = (Workshop, Artisan, WorkshopSkill, Event)
ORDERS = (Order, OrderLine, WorkOrder, PartNeed, Event)


# A load that is rolled back; what it is given runs before that.
Load = Callable[..., None]


@dataclass(frozen=True)
class Size:
    """Workshops of ``people`` each, and orders of two lines."""

    workshops: int = 500
    people: int = 10
    orders: int = 200
    rounds: int = 3


QUICK, LONG = Size(), Size(workshops=2_500, orders=2_000, rounds=7)


class _RollBack(Exception):
    """Ends a measured load without keeping it."""


def main(arguments: list[str]) -> int:
    """Print the ratios."""
    size = LONG if "--long" in arguments else QUICK
    report.heading(
        "Imports against COPY of the same rows into the same tables and indexes",
        notes="COPY is the floor: text that is ready for the tables, as superuser, no "
        "checks, no parents looked up. Both end before the commit.",
    )
    lab = laboratory()
    measure(lab, demo(lab), size)
    return 0


def measure(
    lab: Laboratory, scenery: Scenery, size: Size
) -> dict[str, dict[str, Sample]]:
    """Load both kinds of file; prints a table."""
    database = lab.database("imports", template=scenery.database.name)
    taken: dict[str, dict[str, Sample]] = {}
    rows = []
    with lab.on(database), contextlib.closing(lab.superuser(database.name)) as direct:
        direct.autocommit = False
        tenant = Tenant.objects.get(pk=scenery.tenant_id)
        with tenant_scope(tenant):
            for kind, models, content, count in (
                ("workshops", NETWORK, _network(size), size.workshops * size.people),
                ("orders", ORDERS, _orders(size, scenery.sku), size.orders),
            ):
                load = _loader(tenant, kind, content)
                copy, written = _copier(direct, models, load)
                taken[kind] = in_turns(
                    {"import": load, "copy": copy},
                    rounds=size.rounds,
                    each=1,
                    warm_up=1,
                )
                rows.append((kind, count, written, _queries(load), taken[kind]))
    _print(rows)
    return taken


def _loader(tenant: Tenant, kind: str, content: bytes) -> Load:
    def load(look: Callable[[], None] = lambda: None) -> None:
        with contextlib.suppress(_RollBack), transaction.atomic():
            outcome = load_content(
                tenant=tenant, kind=kind, content=content, actor=ACTOR
            )
            if outcome.errors:
                raise RuntimeError(f"{kind}: {outcome.errors[:3]}")
            look()
            raise _RollBack

    return load


def _copier(
    direct: Any, models: tuple[Any, ...], load: Load
) -> tuple[Callable[[], None], int]:
    """A call that copies what an import writes, and how many rows that is."""
    cursor = direct.cursor()
    first: dict[str, int] = {}
    for table in (model._meta.db_table for model in models):
        cursor.execute(f'SELECT COALESCE(max(id), 0) + 1 FROM "{table}"')
        first[table] = cursor.fetchone()[0]
    direct.rollback()
    texts: dict[str, str] = {}

    def keep() -> None:
        """The new rows as COPY writes them, read in the import's own transaction."""
        with connection.cursor() as own:
            for table, pk in first.items():
                buffer = io.StringIO()
                rows = f'SELECT * FROM "{table}" WHERE id >= {pk}'
                own.copy_expert(f"COPY ({rows}) TO STDOUT", buffer)
                texts[table] = buffer.getvalue()

    load(keep)

    def copy() -> None:
        for table, text in texts.items():
            cursor.copy_expert(f'COPY "{table}" FROM STDIN', io.StringIO(text))
        direct.rollback()

    return copy, sum(text.count("\n") for text in texts.values())


def _queries(load: Load) -> int:
    seen = 0

    def count(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        nonlocal seen
        seen += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        load()
    return seen


def _network(size: Size) -> bytes:
    skill = Skill.objects.order_by("id").values_list("code", flat=True)[0]
    lines = [
        "workshop,artisan,name,engagement,gender,joined_on,workshop_name,area,region,"
        "phone,language,capacity_per_week,skills"
    ]
    for one in range(size.workshops):
        for person in range(size.people):
            lead = (
                f"Bench {one},Kibera,Nairobi,+2541{one:08d},sw,80,{skill}:3"
                if not person
                else ",,,,,,"
            )
            engagement = "outsourced" if person else "lead"
            lines.append(
                f"X-{one},X-{one}-{person},Wanjiku Otieno,{engagement},female,"
                f"2024-03-01,{lead}"
            )
    return "\n".join(lines).encode()


def _orders(size: Size, sku: str) -> bytes:
    buyer = Buyer.objects.order_by("id").values_list("code", flat=True)[0]
    ship_by = timezone.localdate() + timedelta(days=40)
    lines = ["buyer,po_number,ship_by,sku,quantity"]
    lines += [f"{buyer},X-{one},{ship_by},{sku},120" for one in range(size.orders)]
    return "\n".join(lines).encode()


def _print(rows: list[tuple[str, int, int, int, dict[str, Sample]]]) -> None:
    report.table(
        ("import", "lines", "rows", "queries", "import ms", "copy ms", "ratio"),
        [
            (
                kind,
                f"{lines:,}",
                f"{written:,}",
                f"{queries:,}",
                report.ms(taken["import"].p50),
                report.ms(taken["copy"].p50),
                report.spread(taken["import"].ratio_to(taken["copy"])),
            )
            for kind, lines, written, queries, taken in rows
        ],
    )


def load_network(tenant_id: int, size: Size) -> None:
    """Load a file of workshops and roll it back."""
    tenant = Tenant.objects.get(pk=tenant_id)
    with tenant_scope(tenant):
        _loader(tenant, "workshops", _network(size))()
