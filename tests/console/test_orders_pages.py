"""Orders and jobs in the console."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.enums import JobState, OrderState
from orders.models import Buyer, Job, Order
from orders.services.deliveries import book_delivery, receive_delivery
from orders.services.jobs import (
    accept_job,
    decline_job,
    lapse_job,
    offer_job,
    report_progress,
)
from orders.services.stock import on_hand
from tests.builders import (
    SYSTEM,
    Network,
    build_day,
    build_job,
    build_network,
    build_order,
)
from vrp.accounts.enums import Role
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def text(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        text(client, url)
    return len(seen)


# The list


def test_an_empty_list_says_where_orders_come_from(
    network: Network, signed_in: SignedIn
) -> None:
    page = text(signed_in(Role.PLANNER), "/ops/orders/")
    for word in ("/api/docs/", "/ops/orders/import/", "demo"):
        assert word in page


def test_the_list_finds_orders_by_state_words_and_day(
    network: Network, signed_in: SignedIn
) -> None:
    build_order(network, po="PO-LATER")
    Order.objects.update(ship_by=build_day(60))
    build_order(network, po="PO-SOON")
    build_order(network, po="PO-GONE")
    Order.objects.filter(po_number="PO-GONE").update(state=OrderState.SHIPPED)
    client = signed_in(Role.AUDITOR)
    page = text(client, "/ops/orders/")
    assert page.index("PO-SOON") < page.index("PO-LATER")
    assert "PO-GONE" not in page
    assert "PO-GONE" in text(client, "/ops/orders/?state=shipped")
    assert "PO-SOON" not in text(client, "/ops/orders/?q=later")
    assert "PO-SOON" in text(client, "/ops/orders/?q=nordstrom&sort=newest")
    assert "No order is called that" in text(client, "/ops/orders/?q=%00zzz")


def test_the_lists_cost_the_same_for_any_number_of_rows(
    network: Network, signed_in: SignedIn
) -> None:
    client = signed_in(Role.PLANNER)
    urls = ["/ops/orders/?state=all", "/ops/jobs/?state=all", "/ops/jobs/?late=1",
            "/ops/workshops/", "/ops/"]  # fmt: skip
    build_job(network)
    text(client, "/ops/")
    before = {url: queries(client, url) for url in urls}
    for workshop in network.horn[1:]:
        build_job(network, workshop=workshop)
    after = {url: queries(client, url) for url in urls}
    assert after == before
    assert max(after.values()) < 45


# The page


def busy_order(network: Network, lots: int) -> Order:
    """An order whose pendants are with ``lots`` workshops in different states."""
    order = build_order(network, 300, stock=10)
    work_order = order.lines.get().work_orders.get(component=network.pendant)
    for index, workshop in enumerate(network.horn[:lots]):
        job = offer_job(
            work_order=work_order, workshop=workshop, quantity=50, actor=SYSTEM
        )
        if index == 0:
            job = accept_job(job=job, actor=SYSTEM)
            report_progress(job=job, made=30, actor=SYSTEM)
        elif index == 1:
            decline_job(job=job, reason="price", actor=SYSTEM)
        else:
            lapse_job(job=job, actor=SYSTEM)
    return order


def test_the_page_shows_where_every_piece_is(
    network: Network, signed_in: SignedIn
) -> None:
    order = busy_order(network, 3)
    page = text(signed_in(Role.PLANNER), f"/ops/orders/{order.pk}/")
    assert "550 pieces are with nobody" in page
    assert f"/ops/orders/{order.pk}/reoffer/" in page
    assert "price too low" in page
    assert "did not answer about 50 HP-01" in page
    assert "290" in page  # chains to buy
    assert "made, not delivered" in page


def test_the_page_costs_a_fixed_number_of_queries(
    network: Network, signed_in: SignedIn
) -> None:
    client = signed_in(Role.PLANNER)
    small, large = busy_order(network, 1), busy_order(network, 3)
    text(client, f"/ops/orders/{small.pk}/")
    few = queries(client, f"/ops/orders/{small.pk}/")
    assert queries(client, f"/ops/orders/{large.pk}/") == few
    assert few < 40


@pytest.mark.parametrize("role", list(Role))
def test_every_role_reads_an_order_and_a_job(
    network: Network, signed_in: SignedIn, role: Role
) -> None:
    order = busy_order(network, 3)
    client = signed_in(role)
    page = text(client, f"/ops/orders/{order.pk}/")
    may = role == Role.PLANNER
    assert (f"/ops/orders/{order.pk}/reoffer/" in page) == may
    for job in Job.objects.all():
        page = text(client, f"/ops/jobs/{job.pk}/")
        shown = may and job.state == JobState.IN_PROGRESS
        assert (f"/ops/jobs/{job.pk}/withdraw/" in page) == shown


def test_cancelling_needs_a_reason_and_no_held_work(
    network: Network, signed_in: SignedIn
) -> None:
    client = signed_in(Role.ADMIN)
    held, free = busy_order(network, 1), build_order(network)
    for order, given, state in (
        (free, {"reason": "  "}, OrderState.PLACED),
        (held, {"reason": "Season over"}, OrderState.IN_PRODUCTION),
        (free, {"reason": "Season over"}, OrderState.CANCELLED),
        (free, {"reason": "Season over"}, OrderState.CANCELLED),
    ):
        client.post(f"/ops/orders/{order.pk}/cancel/", given)
        order.refresh_from_db()
        assert order.state == state


def test_parts_come_in_once_for_two_clicks(
    network: Network, signed_in: SignedIn
) -> None:
    order, client = build_order(network, 100), signed_in(Role.PLANNER)
    given = {"component": network.chain.pk, "quantity": "100", "on_hand": "0"}
    for _ in range(2):
        client.post(f"/ops/orders/{order.pk}/stock/", given)
    assert on_hand(network.chain) == 100
    assert "Parts came in" not in text(client, f"/ops/orders/{order.pk}/")


@pytest.mark.parametrize("quantity", ["", "0", "-5", "1.5", "9" * 12, "many", "٣"])
def test_bad_stock_is_refused(
    network: Network, signed_in: SignedIn, quantity: str
) -> None:
    order = build_order(network)
    given = {"component": network.chain.pk, "quantity": quantity, "on_hand": "0"}
    signed_in(Role.PLANNER).post(f"/ops/orders/{order.pk}/stock/", given)
    assert on_hand(network.chain) == 0


def test_the_order_says_whose_the_parts_in_the_store_are(
    network: Network, signed_in: SignedIn
) -> None:
    first = build_order(network, 1_200, po="PO-1", stock=800)
    client = signed_in(Role.PLANNER)
    page = text(client, f"/ops/orders/{first.pk}/")
    assert "<b>400</b> to buy, all 800 in the store reserved for this order" in page
    Order.objects.filter(pk=first.pk).update(ship_by=build_day(20))
    second = build_order(network, 100, po="PO-2")
    page = text(client, f"/ops/orders/{second.pk}/")
    assert "<b>100</b> to buy, 800 in the store are promised to other orders" in page


def test_parts_of_an_assembled_line_are_used(
    network: Network, signed_in: SignedIn
) -> None:
    order = build_order(network, 100, stock=100)
    client = signed_in(Role.PLANNER)
    assert "Reserved" in text(client, f"/ops/orders/{order.pk}/").title()
    order.lines.update(stage="assembled")
    page = text(client, f"/ops/orders/{order.pk}/")
    assert "reserved</" not in page
    assert "used</" in page


# A new order


def new_order(network: Network, **changed: str) -> dict[str, str]:
    return {
        "buyer": str(network.buyer.pk),
        "po_number": "PO-77",
        "ship_by": build_day(30).isoformat(),
        "channel": "wholesale",
        "note": "",
        "sku-0": "HPN-01",
        "quantity-0": "120",
        "sku-1": "",
        "quantity-1": "",
    } | {name.replace("_at_", "-"): value for name, value in changed.items()}


def test_a_new_order_is_placed_once(network: Network, signed_in: SignedIn) -> None:
    client = signed_in(Role.PLANNER)
    assert "HPN-01" in text(client, "/ops/orders/new/")
    answer = client.post("/ops/orders/new/", new_order(network))
    order = Order.objects.get()
    assert answer.headers["Location"] == f"/ops/orders/{order.pk}/"
    assert order.lines.get().quantity == 120
    again = client.post("/ops/orders/new/", new_order(network))
    assert again.status_code == 422
    assert "already placed" in again.content.decode()
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"sku_at_0": "", "quantity_at_0": ""}, "at least one line"),
        ({"quantity_at_0": "0"}, "Give a number of pieces from 1."),
        ({"quantity_at_0": "-3"}, "Give a number of pieces from 1."),
        ({"quantity_at_0": "1e3"}, "Give a number of pieces from 1."),
        ({"sku_at_0": "NOPE"}, "There is no product NOPE"),
        ({"sku_at_1": "HPN-01", "quantity_at_1": "5"}, "stands on two lines"),
        ({"sku_at_0": "A\x00B"}, "no such product"),
        ({"ship_by": "2020-01-01"}, "in the past"),
        ({"ship_by": "soon"}, "Write the day as"),
        ({"po_number": ""}, "required"),
        ({"po_number": "9" * 50}, "at most 40"),
        ({"buyer": "999999"}, "valid choice"),
        ({"channel": "pigeon"}, "valid choice"),
        ({"channel": "white_label", "quantity_at_0": "20"}, "White-label"),
    ],
)
def test_a_bad_order_is_explained_and_not_placed(
    network: Network, signed_in: SignedIn, changed: dict[str, str], words: str
) -> None:
    answer = signed_in(Role.PLANNER).post(
        "/ops/orders/new/", new_order(network, **changed)
    )
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Order.objects.count() == 0


def test_all_that_is_wrong_with_an_order_is_told_in_one_answer(
    network: Network, signed_in: SignedIn
) -> None:
    given = new_order(
        network,
        ship_by="2020-01-01",
        sku_at_0="NOPE",
        quantity_at_0="-3",
        sku_at_1="HPN-01",
        quantity_at_1="no",
    )
    answer = signed_in(Role.PLANNER).post("/ops/orders/new/", given)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Give a number of pieces from 1. There is no product NOPE." in page
    assert page.count("Give a number of pieces from 1.") == 2
    assert page.count("The ship-by date is in the past.") == 1


def test_more_rows_keep_what_was_typed(network: Network, signed_in: SignedIn) -> None:
    given = new_order(network, more="1", po_number="")
    answer = signed_in(Role.PLANNER).post("/ops/orders/new/", given)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'name="sku-9"' in page
    assert 'value="120"' in page
    assert "required." not in page


# Jobs


def test_late_and_slow_jobs_are_named(network: Network, signed_in: SignedIn) -> None:
    late = build_job(network, workshop=network.horn[0])
    slow = build_job(network, workshop=network.horn[1])
    fine = build_job(network, workshop=network.horn[2])
    now, today = timezone.now(), timezone.localdate()
    Job.objects.update(answered_at=now - timedelta(days=10))
    Job.objects.filter(pk=late.pk).update(due_on=today - timedelta(days=1))
    Job.objects.filter(pk=slow.pk).update(due_on=today + timedelta(days=4), made=50)
    Job.objects.filter(pk=fine.pk).update(due_on=today + timedelta(days=4), made=80)
    client = signed_in(Role.PLANNER)
    page = text(client, "/ops/jobs/?late=1")
    for job, named in ((late, True), (slow, True), (fine, False)):
        assert (f"/ops/jobs/{job.pk}/" in page) == named
    assert "This job is late" in text(client, f"/ops/jobs/{late.pk}/")
    assert "probably be late" in text(client, f"/ops/jobs/{slow.pk}/")
    today_page = text(client, "/ops/")
    assert "Jobs late" in today_page
    assert "Jobs likely late" in today_page


def test_withdrawing_needs_a_reason(network: Network, signed_in: SignedIn) -> None:
    job, client = build_job(network), signed_in(Role.PLANNER)
    for given, state in (
        ({}, JobState.ACCEPTED),
        ({"reason": "\x00 "}, JobState.ACCEPTED),
        ({"reason": "Buyer cancelled"}, JobState.WITHDRAWN),
        ({"reason": "Buyer cancelled"}, JobState.WITHDRAWN),
    ):
        client.post(f"/ops/jobs/{job.pk}/withdraw/", given)
        job.refresh_from_db()
        assert job.state == state


def test_a_begun_job_is_closed_short(network: Network, signed_in: SignedIn) -> None:
    job, client = build_job(network, 100), signed_in(Role.PLANNER)
    delivery = book_delivery(
        workshop=job.workshop, pieces={job: 60}, booked_for=build_day(0), actor=SYSTEM
    )
    line = delivery.lines.get()
    receive_delivery(delivery=delivery, counts={line.pk: 60}, actor=SYSTEM)
    assert f"/ops/jobs/{job.pk}/close-short/" in text(client, f"/ops/jobs/{job.pk}/")
    client.post(f"/ops/jobs/{job.pk}/close-short/", {"reason": "Horn ran out"})
    job.refresh_from_db()
    assert (job.quantity, job.state) == (60, JobState.DELIVERED)


# Who may, and whose


@pytest.mark.parametrize(
    "role", [Role.QC, Role.FIELD, Role.FINANCE_MAKER, Role.AUDITOR]
)
def test_others_change_nothing(
    network: Network, signed_in: SignedIn, role: Role
) -> None:
    job, client = build_job(network), signed_in(role)
    order = job.work_order.line.order
    for url, given in (
        ("/ops/orders/new/", new_order(network)),
        (f"/ops/orders/{order.pk}/cancel/", {"reason": "x"}),
        (f"/ops/orders/{order.pk}/stock/", {"component": "1", "quantity": "5"}),
        (f"/ops/jobs/{job.pk}/withdraw/", {"reason": "x"}),
        (f"/ops/jobs/{job.pk}/close-short/", {"reason": "x"}),
    ):
        assert client.post(url, given).status_code == 403, url
    job.refresh_from_db()
    assert job.state == JobState.ACCEPTED
    assert Order.objects.count() == 1


def test_the_neighbours_orders_and_jobs_are_not_found(
    network: Network, signed_in: SignedIn, other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant):
        job = build_job(build_network(other_tenant))
        order, buyer = job.work_order.line.order, Buyer.objects.get()
        chain = order.lines.get().part_needs.get().component
    client = signed_in(Role.PLANNER, Role.ADMIN)
    for url in (f"/ops/orders/{order.pk}/", f"/ops/jobs/{job.pk}/"):
        assert client.get(url).status_code == 404
    for url in (
        f"/ops/orders/{order.pk}/cancel/",
        f"/ops/orders/{order.pk}/stock/",
        f"/ops/jobs/{job.pk}/withdraw/",
        f"/ops/jobs/{job.pk}/close-short/",
    ):
        assert client.post(url, {"reason": "x"}).status_code == 404
    given = new_order(network, buyer=str(buyer.pk))
    assert client.post("/ops/orders/new/", given).status_code == 422
    own = build_order(network)
    stock = {"component": chain.pk, "quantity": "5", "on_hand": "0"}
    assert client.post(f"/ops/orders/{own.pk}/stock/", stock).status_code == 404
    with tenant_scope(other_tenant):
        job.refresh_from_db()
        assert job.state == JobState.ACCEPTED
        assert on_hand(chain) == 0
    assert order.po_number not in text(client, "/ops/orders/?state=shipped")


def test_a_field_worker_sees_jobs_of_her_regions(
    network: Network, signed_in: SignedIn
) -> None:
    job, client = build_job(network), signed_in(Role.FIELD)
    assert client.get(f"/ops/jobs/{job.pk}/").status_code == 200
    network.area.region = "Nyanza"
    network.area.save()
    assert client.get(f"/ops/jobs/{job.pk}/").status_code == 404
    assert f"/ops/jobs/{job.pk}/" not in text(client, "/ops/jobs/")
