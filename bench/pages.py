"""Every page and list that is opened all day, by name, as requests to one tenant."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext

from artisans.models import Workshop
from bench.lab import Laboratory
from bench.scenery import Scenery
from orders.models import Job, Order
from payments.models import Account
from phone.models import Message
from qc.models import Batch
from vrp.accounts.models import User
from vrp.api.pagination import encode
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

# Roles whose Today page differs.
ROLES = (
    "admin",
    "planner",
    "qc",
    "field",
    "finance_maker",
    "finance_checker",
    "auditor",
)


@dataclass(frozen=True)
class Page:
    """An address, and who opens it: a role, or ``buyer`` with the API key."""

    name: str
    path: str
    who: str = "admin"


@dataclass(frozen=True)
class Found:
    """Rows of the scenery that the addresses name: the same ones at every size."""

    order: int
    order_uuid: str
    deep_order: str
    deep_api: str
    job: int
    deep_job: str
    workshop: int
    workshop_code: str
    batch: int
    account: int
    po_number: str
    deep_message: str


class Visitor:
    """Opens pages of one scenery, signed in as each role."""

    def __init__(self, lab: Laboratory, scenery: Scenery) -> None:
        self._lab, self._scenery = lab, scenery
        self._clients: dict[str, Client] = {}
        with lab.on(scenery.database):
            self._clients["buyer"] = Client(
                headers={"Authorization": f"Bearer {scenery.api_key}"}
            )
            for role, username in scenery.people.items():
                client = self._clients[role] = Client()
                client.force_login(User.objects.get(username=username))

    def opening(self, page: Page) -> Callable[[], Any]:
        """A call that opens the page and reads all of it. Raises unless it is 200."""
        client = self._clients.get(page.who) or self._clients["admin"]

        def call() -> Any:
            with self._lab.on(self._scenery.database):
                answer = client.get(page.path)
            if answer.status_code != 200:
                raise RuntimeError(f"{page.path}: {answer.status_code}")
            return answer

        return call

    def queries(self, page: Page) -> int:
        """How many queries the page takes."""
        with (
            self._lab.on(self._scenery.database),
            CaptureQueriesContext(connection) as seen,
        ):
            self.opening(page)()
            return len(seen)


def find(lab: Laboratory, scenery: Scenery) -> Found:
    """Look the rows up. Call on the smallest scenery: the others hold them too."""
    with lab.on(scenery.database):
        tenant = Tenant.objects.get(pk=scenery.tenant_id)
        with tenant_scope(tenant):
            return _find()


def _find() -> Found:
    jobs = Count("lines__work_orders__jobs")
    order = Order.objects.annotate(jobs=jobs).order_by("-jobs", "id")[0]
    deep = _middle(Order.objects.order_by("-number"))
    deep_api = _middle(Order.objects.filter(buyer=order.buyer).order_by("-placed_at"))
    job = Job.objects.filter(work_order__line__order=order).order_by("id").first()
    message = _middle(Message.objects.order_by("-id"))
    workshop = (job.workshop if job else None) or Workshop.objects.order_by("id")[0]
    batch = Batch.objects.filter(inspection__isnull=False).order_by("id").first()
    account = Account.objects.annotate(n=Count("postings")).order_by("-n").first()
    return Found(
        order=order.pk,
        order_uuid=str(order.public_id),
        deep_order=_cursor([deep.number]),
        deep_api=encode([deep_api.placed_at.isoformat(), deep_api.pk]),
        job=job.pk if job else 0,
        deep_job=_cursor([_middle(Job.objects.order_by("-number")).number])
        if job
        else "",
        workshop=workshop.pk,
        workshop_code=workshop.code,
        batch=batch.pk if batch else 0,
        account=account.pk if account else 0,
        po_number=order.po_number,
        deep_message=_cursor([message.pk]) if message else "",
    )


def _middle(rows: QuerySet[Any]) -> Any:
    """The row in the middle of a list, where only a cursor leads."""
    count = rows.count()
    return rows[count // 2] if count else None


def _cursor(values: list[Any]) -> str:
    """As ``vrp.console.paging`` writes it."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def all_pages(found: Found) -> list[Page]:
    """What is measured. A page without a row in this scenery is left out."""
    today = [Page(f"Today: {role.replace('_', ' ')}", "/ops/", role) for role in ROLES]
    pages = [
        *today,
        Page("order page", f"/ops/orders/{found.order}/"),
        *_console(found),
        *_buyers(found),
    ]
    return [page for page in pages if "/0/" not in page.path]


def _console(found: Found) -> list[Page]:
    return [
        Page("orders: open", "/ops/orders/"),
        Page("orders: all", "/ops/orders/?state=all"),
        Page("orders: deep", f"/ops/orders/?state=all&after={found.deep_order}"),
        Page("orders: search", f"/ops/orders/?state=all&q={found.po_number}"),
        Page("jobs: at work", "/ops/jobs/"),
        Page("jobs: all", "/ops/jobs/?state=all"),
        Page("jobs: deep", f"/ops/jobs/?state=all&after={found.deep_job}"),
        Page("jobs: late", "/ops/jobs/?late=1"),
        Page("jobs: search", f"/ops/jobs/?state=all&q={found.workshop_code}"),
        Page("jobs: of my regions", "/ops/jobs/?state=all", "field"),
        Page("job page", f"/ops/jobs/{found.job}/"),
        Page("plans", "/ops/plans/"),
        Page("deliveries", "/ops/deliveries/"),
        Page("deliveries: received", "/ops/deliveries/?state=received"),
        Page("grading", "/ops/batches/"),
        Page("grading: all", "/ops/batches/?state=all"),
        Page("grading: search", f"/ops/batches/?state=all&q={found.workshop_code}"),
        Page("batch page", f"/ops/batches/{found.batch}/"),
        Page("rework", "/ops/rework/"),
        Page("rework: returned", "/ops/rework/?state=returned"),
        Page("assembly", "/ops/assembly/"),
        Page("assembly: shipped", "/ops/assembly/?stage=shipped"),
        Page("workshops", "/ops/workshops/"),
        Page("workshops: search", f"/ops/workshops/?q={found.workshop_code}"),
        Page("workshop page", f"/ops/workshops/{found.workshop}/"),
        Page("payouts: owed", "/ops/payouts/"),
        Page("payouts: runs", "/ops/payouts/?view=runs"),
        Page("payouts: payments", "/ops/payouts/?view=payments"),
        Page("ledger", "/ops/ledger/"),
        Page("ledger: account", f"/ops/ledger/{found.account}/"),
        Page("messages", "/ops/messages/"),
        Page("messages: deep", f"/ops/messages/?after={found.deep_message}"),
        Page("messages: search", f"/ops/messages/?q={found.workshop_code}"),
        Page("office: artisans", "/ops/office/artisans/artisan/"),
        Page("office: stock", "/ops/office/orders/stockmove/"),
    ]


def _buyers(found: Found) -> list[Page]:
    return [
        Page("API: orders", "/api/v1/orders", "buyer"),
        Page("API: orders, deep", f"/api/v1/orders?cursor={found.deep_api}", "buyer"),
        Page("API: orders, by state", "/api/v1/orders?state=shipped", "buyer"),
        Page(
            "API: orders, by PO", f"/api/v1/orders?po_number={found.po_number}", "buyer"
        ),
        Page(
            "API: orders, updated",
            "/api/v1/orders?updated_since=2026-01-01T00:00:00Z",
            "buyer",
        ),
        Page("API: order", f"/api/v1/orders/{found.order_uuid}", "buyer"),
        Page("API: products", "/api/v1/products", "buyer"),
    ]
