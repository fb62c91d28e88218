"""One action in a process of its own; the last word printed is what it cost in bytes.

Started by ``bench.memory`` with ``python -m bench.memory_action <action>``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable


def main(action: str) -> int:
    """Warm up, then do it: the peak afterwards less the memory before."""
    import django

    django.setup()
    from bench.memory import peak_of

    act = _action(action)
    # Once for what is imported, compiled and cached for good. An import is warmed up with
    # a small file: memory that a first large one leaves to the process would hide the
    # second's need.
    warm = _action("import:100") if action.startswith("import:") else act
    warm()
    _forget_peak()
    before = peak_of(os.getpid())
    act()
    print(max(peak_of(os.getpid()) - before, 0))
    return 0


def _forget_peak() -> None:
    """Linux begins the peak anew, at what is in memory now."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as control:
        control.write("5")


def _action(name: str) -> Callable[[], None]:
    kind, _, amount = name.partition(":")
    if kind == "import":
        return lambda: _import(int(amount))
    return {"lists": _lists, "cursor": _cursor}[kind]


def _lists() -> None:
    from django.test import Client

    from vrp.accounts.models import User

    client = Client()
    people = json.loads(os.environ["BENCH_PEOPLE"])
    client.force_login(User.objects.get(username=people["admin"]))
    for path in (
        *("orders/?state=all", "jobs/?state=all", "batches/?state=all", "ledger/"),
        *("deliveries/?state=received", "messages/", "workshops/", "assembly/", ""),
        *("rework/?state=returned", "payouts/?view=payments", "payouts/?view=runs"),
    ):
        answer = client.get(f"/ops/{path}")
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code}")


def _cursor() -> None:
    from django.test import Client

    client = Client(headers={"Authorization": f"Bearer {os.environ['BENCH_KEY']}"})
    path = "/api/v1/orders?page_size=100"
    while path:
        page = client.get(path).json()
        path = page["next"]


def _import(people: int) -> None:
    from bench.imports import Size, load_network

    load_network(
        int(os.environ["BENCH_TENANT"]), Size(workshops=people // 10, people=10)
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
