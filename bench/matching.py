"""The plan of an order, as a worker makes it, against the solver alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from bench import report
from bench.lab import Laboratory, laboratory
from bench.multiply import Growth
from bench.scenery import Scenery, demo, grown
from bench.timing import Sample, in_turns
from matching import planning
from matching.allocation import allocate
from matching.allocation.problem import build
from matching.allocation.solver import solve
from matching.services import OUTBOX, discard_plan, request_plan
from orders.models import Buyer, WorkOrder
from orders.services.placing import LineInput, place_order
from vrp.events import outbox
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

ACTOR = Actor.system("bench")


@dataclass(frozen=True)
class Size:
    """``orders`` to plan together, each of so many pieces; networks of these factors."""

    orders: tuple[int, ...] = (1, 4)
    pieces: int = 300
    networks: tuple[int, ...] = (1, 4)
    rounds: int = 2


# The solver may take its 15 seconds for each of the large questions, several times a row.
QUICK, LONG = Size(), Size(orders=(1, 10, 50), networks=(1, 10), rounds=5)


def main(arguments: list[str]) -> int:
    """Print what planning costs beside the solver."""
    size = LONG if "--long" in arguments else QUICK
    report.heading(
        "Planning: the worker's whole path against the allocation and the solver alone",
        notes="whole: claim, read network and history, score, split, explain, write. "
        "allocation: the same lots, workshops and scores once more, nothing else.\n"
        "solver: HiGHS on the same matrix.",
    )
    lab = laboratory()
    rows = []
    for factor in size.networks:
        scenery = demo(lab)
        name = f"plans_{factor}"
        scenery = grown(lab, scenery, name, factor, Growth.NETWORK)
        for orders in size.orders:
            print(f"{orders} orders, network x {factor} ...", flush=True)
            rows.append(measure(lab, scenery, orders, size))
    _print(rows)
    return 0


@dataclass(frozen=True)
class Row:
    """What one question cost."""

    orders: int
    pairs: int
    taken: dict[str, Sample]


class Recorder:
    """Stands where the plan calls the allocation, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: tuple[Any, ...] = ()

    def __call__(self, *question: Any) -> Any:
        self.asked = question
        return allocate(*question)


@contextlib.contextmanager
def recorded() -> Iterator[Recorder]:
    """Planning calls a recorder inside the block."""
    recorder = Recorder()
    planning.allocate = recorder  # type: ignore[assignment]
    try:
        yield recorder
    finally:
        planning.allocate = allocate


def measure(lab: Laboratory, scenery: Scenery, orders: int, size: Size) -> Row:
    """Plan so many orders together, over and over."""
    with lab.on(scenery.database):
        tenant = Tenant.objects.get(pk=scenery.tenant_id)
        with tenant_scope(tenant), recorded() as recorder:
            work = _place(tenant, scenery, orders, size.pieces)
            _plan(tenant, work)
            problem = build(*recorder.asked)
            taken = in_turns(
                {
                    "whole": lambda: _plan(tenant, work),
                    "allocation": lambda: allocate(*recorder.asked),
                    "solver": lambda: solve(problem),
                },
                rounds=size.rounds,
                each=1,
                warm_up=1,
            )
    return Row(orders, len(problem.pairs), taken)


def _place(
    tenant: Tenant, scenery: Scenery, orders: int, pieces: int
) -> list[WorkOrder]:
    buyer = Buyer.objects.get(code="NRD")
    ship_by = timezone.localdate() + timedelta(days=35)
    placed = [
        place_order(
            tenant=tenant,
            buyer=buyer,
            po_number=f"PLAN-{orders}-{number}",
            lines=[LineInput(scenery.sku, pieces)],
            ship_by=ship_by,
            actor=ACTOR,
        )
        for number in range(orders)
    ]
    return list(WorkOrder.objects.filter(line__order__in=placed))


def _plan(tenant: Tenant, work: list[WorkOrder]) -> None:
    """Ask for a plan, compute it as a worker does, and put it away again."""
    plan = request_plan(tenant=tenant, work_orders=work, actor=ACTOR)
    if not outbox.run(OUTBOX, plan.pk):
        raise RuntimeError("The plan was not there to be computed.")
    plan.refresh_from_db()
    if plan.state != "ready":
        raise RuntimeError(f"The plan is {plan.state}: {plan.last_error}")
    discard_plan(plan=plan, actor=ACTOR)


def _print(rows: list[Row]) -> None:
    report.table(
        ("orders", "pairs", "whole ms", "allocation ms", "solver ms", "whole/solver"),
        [
            (
                row.orders,
                f"{row.pairs:,}",
                *(report.ms(row.taken[name].p50) for name in row.taken),
                report.spread(row.taken["whole"].ratio_to(row.taken["solver"])),
            )
            for row in rows
        ],
    )
