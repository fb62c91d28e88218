"""The demo has the proportions of the sources and obeys every rule of live data."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from artisans.console.workshops import active_lately
from artisans.models import Artisan, Workshop
from matching.models import JobRecord
from orders.models import Delivery, Job, Order, PartNeed
from orders.queries import unplanned_orders
from orders.services.stock import on_hand
from payments.models import Account, Payable, Posting
from qc.models import Batch, Item
from vrp.accounts.models import User
from vrp.demo.load import demo_facts, keys_of
from vrp.demo.present import PO_NUMBER
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def facts(db: None, tmp_path: Path) -> dict:
    out = tmp_path / "demo.json"
    call_command("load_demo", out=str(out), verbosity=0)
    assert out.stat().st_mode & 0o777 == 0o600
    return json.loads(out.read_text())


def at_work(**more: object) -> int:
    return Artisan.objects.filter(left_on__isnull=True, **more).count()


def test_the_demo_is_what_the_sources_say(facts: dict) -> None:
    soko = Tenant.objects.get(slug="soko-demo")
    with tenant_scope(soko):
        connection.check_constraints()
        assert Workshop.objects.count() == 125
        assert Artisan.objects.count() == 2_500
        assert at_work() == 1_520
        assert at_work(engagement="lead") == 125
        assert at_work(engagement="full_time") == 358
        assert at_work(engagement="part_time") == 290
        assert at_work(engagement="outsourced") == 747
        assert at_work(gender="female") == 395
        assert at_work(gender="female", engagement="lead") == 20
        assert at_work(gender="female", engagement="part_time") == 99
        _check_order()
        _check_past()
        _check_present()
    _check_facts(facts)


def _check_order() -> None:
    """The shared fixture: 1,200 necklaces, 800 chains in store, 400 short."""
    order = Order.objects.get(po_number="NRD-4500123")
    work = order.lines.get().work_orders.values_list("component__code", "quantity")
    assert sorted(work) == [("BH-02", 1_200), ("HP-01", 1_200)]
    assert PartNeed.objects.get(line__order=order).shortage == 400


def _check_past() -> None:
    records = JobRecord.objects.all()
    assert 1_500 < records.count() < 4_000
    assert not records.filter(delivered_at__gt=timezone.now()).exists()
    assert not records.filter(offered_at__gt=timezone.now()).exists()
    _check_active()
    jobs = Job.objects.filter(state="done")
    assert Item.objects.count() == jobs.aggregate(n=Sum("quantity"))["n"]
    graded = Payable.objects.aggregate(
        n=Sum("items"),
        paid=Sum("amount_minor") - Sum("open_minor"),
        open=Sum("open_minor"),
    )
    assert graded["n"] == Item.objects.count()
    balances = dict(
        Account.objects.values_list("kind").annotate(Sum("postings__amount_minor"))
    )
    assert balances["wallet"] == -graded["paid"]
    assert balances["workshop"] == -graded["open"]
    assert balances["in_transit"] == 0
    assert Posting.objects.aggregate(n=Sum("amount_minor"))["n"] == 0
    chain = Order.objects.get(po_number="NRD-4500123").lines.get().part_needs.get()
    assert on_hand(chain.component) == 800


def _check_active() -> None:
    """Most of the network has worked within the quarter, as in a live one."""
    active = Workshop.objects.filter(active_lately()).count()
    assert active >= 0.6 * Workshop.objects.count()


def _check_present() -> None:
    """Something waits for everybody who handles goods: a batch, and a delivery."""
    order = Order.objects.get(po_number=PO_NUMBER)
    jobs = Job.objects.filter(work_order__line__order=order).order_by("number")
    graded, brought, coming = jobs
    assert [job.state for job in jobs] == ["done", "delivered", "accepted"]
    assert {job.quantity for job in jobs} == {30}
    assert Payable.objects.get(open_minor__gt=0).workshop == graded.workshop
    batch = Batch.objects.exclude(state="graded").get()
    assert (batch.job, batch.counted) == (brought, 30)
    booked = Delivery.objects.get(state="booked")
    assert booked.workshop == coming.workshop
    assert booked.booked_for == timezone.localdate() + timedelta(days=1)
    unplanned = unplanned_orders().values_list("po_number", flat=True)
    assert list(unplanned) == ["NRD-4500123"]
    titles = {name: _waits_for(name) for name in ("grace", "joseph", "peter", "mary")}
    assert {"Deliveries expected"} <= titles["joseph"] & titles["grace"]
    assert len(titles["grace"]) >= 2
    assert "Deliveries expected" not in titles["peter"]
    assert "Workshops to pay" in titles["mary"]


def _waits_for(username: str) -> set[str]:
    client = Client()
    client.force_login(User.objects.get(username=username))
    return {card.title for card in client.get("/ops/").context["cards"]}


def _check_facts(facts: dict) -> None:
    assert [tenant["slug"] for tenant in facts["tenants"]] == [
        "soko-demo",
        "addis-leather",
    ]
    assert demo_facts(keys_of(facts)) == facts
    assert {"planner", "qc", "finance_maker", "finance_checker"} <= set(facts["users"])
    numbers = {shop["phone"] for t in facts["tenants"] for shop in t["workshops"]}
    assert len(numbers) == 125 + 12
