"""The buyers' API against the bare framework, through the same gunicorn."""

from __future__ import annotations

import itertools
import json
import statistics
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from bench import report
from bench.http import Client, as_json
from bench.lab import HOST, Laboratory, laboratory
from bench.multiply import Growth
from bench.scenery import Scenery, demo, grown
from bench.timing import Sample, in_turns, seconds

WORKERS, THREADS = 2, 4


@dataclass(frozen=True)
class Size:
    """How long to measure: rounds of ``each`` calls; ``burst`` seconds at full load."""

    history: int = 20
    rounds: int = 12
    each: int = 12
    burst: float = 0.8
    connections: int = 4


QUICK, LONG = Size(), Size(rounds=60, each=40, burst=3.0)
SMOKE = Size(history=1, rounds=1, each=2, burst=0.05, connections=2)


def main(arguments: list[str]) -> int:
    """Print the ratios."""
    size = LONG if "--long" in arguments else QUICK
    report.heading(
        "API against a bare Django view (one indexed query, no middleware)",
        notes=f"Both in the same gunicorn: {WORKERS} gthread workers of {THREADS} "
        "threads, keep-alive, answers with a body; PostgreSQL writes durably.",
    )
    lab = laboratory()
    base = grown(lab, demo(lab), "api", size.history, Growth.HISTORY)
    measure(lab, base, size)
    return 0


def measure(lab: Laboratory, scenery: Scenery, size: Size) -> dict[str, Sample]:
    """Serve the scenery and compare; prints a table, returns the latencies."""
    port = lab.free_port()
    environment = {
        **lab.environment(scenery.database),
        # One client plays them all: a key's share of requests is not what is measured.
        "VRP_API_RATE": "1000000/min",
    }
    process = lab.start("api", gunicorn(port), environment)
    try:
        lab.wait_for(process, port)
        calls = Calls(port, scenery)
        with Client(HOST, port) as client:
            taken = in_turns(calls.by_name(client), rounds=size.rounds, each=size.each)
        rates = _rates(calls, size)
    finally:
        lab.stop(process)
    _print(taken, rates)
    return taken


def gunicorn(port: int) -> list[str]:
    """The command line of the web process, as ``bin/up`` has it, for ``bench.bare``."""
    return [
        *("-m", "gunicorn", "bench.bare:application", "--bind", f"{HOST}:{port}"),
        *("--no-control-socket", "--preload", "--worker-class", "gthread"),
        *("--workers", str(WORKERS), "--threads", str(THREADS)),
        *("--keep-alive", "30", "--graceful-timeout", "1"),
    ]


class Calls:
    """The requests that are compared; every answer is checked."""

    def __init__(self, port: int, scenery: Scenery) -> None:
        self.port = port
        self._scenery = scenery
        self._headers = {"Authorization": f"Bearer {scenery.api_key}"}
        with Client(HOST, port) as client:
            _, body = client.ask("GET", "/api/v1/orders", headers=self._headers)
        orders = json.loads(body)["results"]
        self._orders = itertools.cycle([one["id"] for one in orders[:20]])
        self._slug = scenery.slug
        self._ship_by = str(timezone.localdate() + timedelta(days=60))

    def by_name(self, client: Client) -> dict[str, Callable[[], None]]:
        return {
            "bare view": lambda: self._bare(client),
            "order creation": lambda: self._create(client),
            "order list (50)": lambda: self._list(client),
            "order page": lambda: self._page(client),
        }

    def _bare(self, client: Client) -> None:
        _expect(200, client.ask("GET", f"/bare/{self._slug}"))

    def _create(self, client: Client) -> None:
        number = uuid.uuid4().hex
        headers = {
            **self._headers,
            "Content-Type": "application/json",
            "Idempotency-Key": number,
        }
        order = {
            "po_number": f"B-{number[:20]}",
            "ship_by": self._ship_by,
            "lines": [{"sku": self._scenery.sku, "quantity": 100}],
        }
        answer = client.ask(
            "POST", "/api/v1/orders", headers=headers, body=as_json(order)
        )
        _expect(201, answer)

    def _list(self, client: Client) -> None:
        _expect(200, client.ask("GET", "/api/v1/orders", headers=self._headers))

    def _page(self, client: Client) -> None:
        path = f"/api/v1/orders/{next(self._orders)}"
        _expect(200, client.ask("GET", path, headers=self._headers))


def _expect(status: int, answer: tuple[int, bytes]) -> None:
    if answer[0] != status:
        raise RuntimeError(f"{answer[0]} instead of {status}: {answer[1][:500]!r}")


def _rates(calls: Calls, size: Size) -> dict[str, list[float]]:
    """Requests a second over several connections, by name, one figure a round."""
    clients = [Client(HOST, calls.port) for _ in range(size.connections)]
    names = list(calls.by_name(clients[0]))
    rates: dict[str, list[float]] = {name: [] for name in names}
    for number in range(max(size.rounds // 4, 1)):
        for name in names if number % 2 == 0 else reversed(names):
            works = [calls.by_name(client)[name] for client in clients]
            rates[name].append(_burst(works, size.burst))
    for client in clients:
        client.close()
    return rates


def _burst(works: list[Callable[[], None]], length: float) -> float:
    """Every work over and over in a thread of its own: calls a second, all together."""
    counts = [0] * len(works)
    until = time.monotonic() + length

    def run(place: int) -> None:
        while time.monotonic() < until:
            works[place]()
            counts[place] += 1

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(works))]

    def all_of_them() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    took = seconds(all_of_them)
    return sum(counts) / took


def _print(taken: dict[str, Sample], rates: dict[str, list[float]]) -> None:
    first, *_ = taken
    rows = []
    for name, sample in taken.items():
        slower = [
            bare / ours for ours, bare in zip(rates[name], rates[first], strict=True)
        ]
        rows.append(
            (
                name,
                report.ms(sample.p50),
                report.ms(sample.p99),
                report.spread(sample.ratio_to(taken[first])),
                f"{sample.p99 / taken[first].p99:.1f}",
                f"{statistics.median(rates[name]):.0f}",
                f"{statistics.median(slower):.1f}",
            )
        )
    report.table(
        ("one request", "p50 ms", "p99 ms", "p50 ratio", "p99 ratio", "per s", "ratio"),
        rows,
    )
    print("ratio: against the bare view of the same round, median (lowest-highest).")
