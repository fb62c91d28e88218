"""Memory of each process at rest and under a bounded load; rows must not add to it."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from django.utils import timezone

from bench import report
from bench.http import Client, as_json
from bench.lab import HOST, Laboratory, laboratory
from bench.multiply import Growth
from bench.scenery import Scenery, demo, grown
from vrp.embedded.folder import DataFolder
from vrp.embedded.stack import Stack

MIB = 1024 * 1024


@dataclass(frozen=True)
class Size:
    """Seconds of load; artisans in the imported file; factor of rows behind lists."""

    seconds: float = 12.0
    people: int = 25_000
    factor: int = 10


QUICK, LONG = Size(), Size(seconds=120.0)


def main(arguments: list[str]) -> int:
    """Print the memory of each process."""
    size = LONG if "--long" in arguments else QUICK
    report.heading(
        "Memory of each process, MiB",
        notes="PSS: a page shared by n processes counts as 1/n in each. peak: the most "
        "it ever had in memory (VmHWM), shared pages counted whole.",
    )
    lab = laboratory()
    small = grown(lab, demo(lab), "memory", 2, Growth.HISTORY)
    large = grown(lab, small, "memory_large", size.factor, Growth.HISTORY)
    load_processes(lab, small, size)
    rows_and_memory(lab, small, large, size)
    return 0


def load_processes(lab: Laboratory, scenery: Scenery, size: Size) -> dict[str, float]:
    """Run web, worker, clock and stand-ins as ``bin/up`` does; PSS under load by name."""
    with _stack(lab, scenery) as (stack, processes):
        before = _sum(processes)
        counts = _work(stack, scenery, size.seconds)
        after = _sum(processes)
    rows = [
        (
            name,
            after[name].count,
            f"{before[name].pss / MIB:.0f}",
            f"{after[name].pss / MIB:.0f}",
            f"{after[name].peak / MIB:.0f}",
        )
        for name in before
    ]
    report.table(
        ("process", "processes", "PSS before", "PSS after", "peak of one"), rows
    )
    total = sum(one.pss for one in after.values()) / MIB
    done = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    print(f"All together {total:.0f} MiB after {done}.\n", flush=True)
    return {name: one.pss / MIB for name, one in after.items()}


@contextlib.contextmanager
def _stack(
    lab: Laboratory, scenery: Scenery
) -> Iterator[tuple[Stack, dict[str, psutil.Process]]]:
    port = lab.free_port()
    folder = DataFolder(lab.logs.parent)
    stack = Stack(
        folder=folder,
        port=port,
        standin_port=port + 1,
        database_url=scenery.database.url,
        redis_url=lab.redis_url,
    )
    started = []
    try:
        found = {}
        for program in stack.processes():
            environment = {
                **lab.environment(scenery.database),
                **program.env,
                # The key that the scenery's API keys were made with.
                "SECRET_KEY": os.environ["SECRET_KEY"],
                "VRP_API_RATE": "1000000/min",
            }
            process = lab.start(program.name, program.argv[1:], environment)
            started.append(process)
            found[program.name] = psutil.Process(process.pid)
        lab.wait_for(started[0], port)
        _until(lambda: len(found["worker"].children()) >= 2, "the worker's children")
        _until(
            lambda: len(found["clock"].children(recursive=True)) >= 3,
            "the clock's children",
        )
        time.sleep(2)  # what is imported at the first turn of each is then in memory
        yield stack, found
    finally:
        for process in started:
            lab.stop(process)


def _until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come")
        time.sleep(0.1)


@dataclass
class Memory:
    """Of a process and its children, in bytes; ``peak`` of the largest one of them."""

    count: int = 0
    pss: int = 0
    peak: int = 0


def _sum(processes: dict[str, psutil.Process]) -> dict[str, Memory]:
    found = {}
    for name, process in processes.items():
        memory = found[name] = Memory()
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error, OSError):
                memory.count += 1
                memory.pss += one.memory_full_info().pss
                memory.peak = max(memory.peak, peak_of(one.pid))
    return found


def peak_of(pid: int) -> int:
    """The most that a process ever had in memory, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _work(stack: Stack, scenery: Scenery, length: float) -> dict[str, int]:
    """Orders, lists and pages over four connections; the worker has what they cause."""
    until = time.monotonic() + length
    counts = [0, 0]
    headers = {"Authorization": f"Bearer {scenery.api_key}"}
    ship_by = str(timezone.localdate() + timedelta(days=60))

    def run(place: int) -> None:
        with Client(HOST, stack.port) as client:
            work(client, place)

    def work(client: Client, place: int) -> None:
        while time.monotonic() < until:
            if place == 0:
                number = uuid.uuid4().hex
                order = {
                    "po_number": number[:20],
                    "ship_by": ship_by,
                    "lines": [{"sku": scenery.sku, "quantity": 60}],
                }
                more = {"Content-Type": "application/json", "Idempotency-Key": number}
                answer = client.ask(
                    "POST",
                    "/api/v1/orders",
                    headers={**headers, **more},
                    body=as_json(order),
                )
            else:
                path = "/api/v1/orders?page_size=100"
                answer = client.ask("GET", path, headers=headers)
                json.loads(answer[1])
            if answer[0] not in (200, 201):
                raise RuntimeError(f"{answer[0]}: {answer[1][:300]!r}")
            counts[min(place, 1)] += 1

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"orders placed": counts[0], "lists of 100": counts[1]}


def rows_and_memory(
    lab: Laboratory, small: Scenery, large: Scenery, size: Size
) -> dict[str, tuple[float, float]]:
    """How much more a process of its own needs for an action, at 1 x and 10 x the rows."""
    actions = {
        "open every list": "lists",
        "read all orders by the API's cursor": "cursor",
        f"import {size.people:,} artisans": f"import:{size.people}",
        f"import {size.people // 10:,} artisans": f"import:{size.people // 10}",
    }
    found = {}
    for title, action in actions.items():
        sceneries = (small,) if action.startswith("import") else (small, large)
        found[title] = tuple(action_costs(lab, one, action) for one in sceneries)
    report.table(
        ("in a fresh process, MiB on top", "1 x", f"{size.factor} x"),
        [
            (title, *(f"{grown / MIB:.1f}" for grown in both), *[""] * (2 - len(both)))
            for title, both in found.items()
        ],
    )
    return found  # type: ignore[return-value]


def action_costs(lab: Laboratory, scenery: Scenery, action: str) -> int:
    """Run an action in a process of its own: bytes that its peak is above its start."""
    environment = {
        **lab.environment(scenery.database),
        "VRP_LOG_LEVEL": "ERROR",
        "BENCH_KEY": scenery.api_key,
        "BENCH_PEOPLE": json.dumps(scenery.people),
        "BENCH_TENANT": str(scenery.tenant_id),
    }
    said = lab.logs / "memory-action.log"
    said.unlink(missing_ok=True)
    process = lab.start(
        "memory-action", ["-m", "bench.memory_action", action], environment
    )
    if process.wait(600) != 0:
        raise RuntimeError(said.read_text()[-3000:])
    return int(said.read_text().split()[-1])
