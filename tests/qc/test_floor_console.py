"""Deliveries counted in, lines assembled, orders shipped: the pages of the floor."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.enums import DeliveryState, LineStage, OrderState
from orders.models import Delivery, Job, Order, OrderLine, Shipment
from orders.services.deliveries import book_delivery
from orders.services.jobs import accept_job, offer_job
from qc.enums import Grade
from qc.models import Batch
from qc.services import Verdict, grade_batch
from tests.builders import (
    SYSTEM,
    Network,
    build_day,
    build_job,
    build_network,
    build_order,
)
from tests.qc.steps import deliver
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

SignIn = Callable[..., Client]
WRITERS = (Role.QC,)
READERS = (Role.AUDITOR, Role.PLANNER, Role.FINANCE_CHECKER, Role.ADMIN)


@pytest.fixture
def qc(signed_in: SignIn) -> Client:
    return signed_in(Role.QC)


@pytest.fixture
def booked(network: Network) -> Delivery:
    return book(network)


def book(network: Network, quantity: int = 100, workshop: int = 0) -> Delivery:
    job = build_job(network, quantity, workshop=network.horn[workshop])
    return book_delivery(
        workshop=job.workshop,
        pieces={job: quantity},
        booked_for=build_day(0),
        actor=SYSTEM,
    )


def counting(delivery: Delivery, text: str) -> dict[str, str]:
    return {f"count-{line.pk}": text for line in delivery.lines.all()}


def ready_line(network: Network, grader: User, quantity: int = 40) -> OrderLine:
    """An order line with every part made, graded and bought."""
    order = build_order(network, quantity, stock=1_000)
    line = order.lines.get()
    for work_order in line.work_orders.all():
        is_pendant = work_order.component == network.pendant
        workshop = network.horn[0] if is_pendant else network.brass[0]
        job = offer_job(
            work_order=work_order, workshop=workshop, quantity=quantity, actor=SYSTEM
        )
        batch = deliver(accept_job(job=job, actor=SYSTEM), quantity)
        verdicts = [Verdict(Grade.AA, quantity)]
        grade_batch(batch=batch, verdicts=verdicts, grader=grader, actor=SYSTEM)
    line.refresh_from_db()
    assert line.stage == LineStage.PARTS_IN
    return line


def test_a_short_count_is_saved_once_and_said(qc: Client, booked: Delivery) -> None:
    url = f"/ops/deliveries/{booked.pk}/"
    assert "Count what came in" in qc.get(url).content.decode()
    page = qc.post(url, counting(booked, "98"), follow=True).content.decode()
    assert "98 of 100 pieces counted in" in page
    assert "W-017 is told by SMS that 2 are short" in page
    again = qc.post(url, counting(booked, "100"), follow=True).content.decode()
    assert "received already" in again
    assert Batch.objects.get().counted == 98
    assert f"/ops/batches/{Batch.objects.get().pk}/" in again


@pytest.mark.parametrize("text", ["", "-1", "101", "9999999", "9" * 40, "many", "1.5"])
def test_a_bad_count_changes_nothing(qc: Client, booked: Delivery, text: str) -> None:
    answer = qc.post(f"/ops/deliveries/{booked.pk}/", counting(booked, text))
    assert answer.status_code == 422
    assert "Not counted in yet" in answer.content.decode()
    assert Delivery.objects.get().state == DeliveryState.BOOKED
    assert not Batch.objects.exists()


def test_a_walk_in_is_recorded_then_counted(qc: Client, network: Network) -> None:
    job = build_job(network, 60)
    shop = job.workshop
    assert shop.code in qc.get("/ops/deliveries/walk-in/").content.decode()
    page = qc.get(f"/ops/deliveries/walk-in/?workshop={shop.pk}").content.decode()
    assert f'name="job-{job.pk}"' in page
    form = {"workshop": str(shop.pk), f"job-{job.pk}": "50"}
    answer = qc.post("/ops/deliveries/walk-in/", form)
    again = qc.post("/ops/deliveries/walk-in/", form)
    delivery = Delivery.objects.get()
    assert answer.url == f"/ops/deliveries/{delivery.pk}/"
    assert again.status_code in (302, 422)
    assert (delivery.booked_for, delivery.lines.get().declared) == (build_day(0), 50)


@pytest.mark.parametrize("text", ["", "0", "-5", "61", "x", "9" * 30])
def test_a_bad_walk_in_is_refused(qc: Client, network: Network, text: str) -> None:
    job = build_job(network, 60)
    form = {"workshop": str(job.workshop_id), f"job-{job.pk}": text}
    assert qc.post("/ops/deliveries/walk-in/", form).status_code == 422
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("workshop", ["x", "999999", "9" * 40, "-1"])
def test_an_unknown_workshop_is_not_there(qc: Client, workshop: str) -> None:
    url = f"/ops/deliveries/walk-in/?workshop={workshop}"
    assert qc.get(url).status_code == 404


def test_a_booking_is_cancelled_with_a_reason(qc: Client, booked: Delivery) -> None:
    url = f"/ops/deliveries/{booked.pk}/cancel/"
    qc.post(url, {"reason": " "})
    assert Delivery.objects.get().state == DeliveryState.BOOKED
    qc.post(url, {"reason": "road flooded"})
    assert Delivery.objects.get().state == DeliveryState.CANCELLED
    counted = qc.post(f"/ops/deliveries/{booked.pk}/", counting(booked, "5"))
    assert counted.status_code == 409


@pytest.mark.parametrize("role", READERS)
def test_readers_look_and_change_nothing(
    signed_in: SignIn, network: Network, booked: Delivery, grader: User, role: Role
) -> None:
    line = ready_line(network, grader)
    client = signed_in(role)
    for url in ("/ops/deliveries/", f"/ops/deliveries/{booked.pk}/", "/ops/assembly/"):
        assert client.get(url).status_code == 200
    for url, form in (
        (f"/ops/deliveries/{booked.pk}/", counting(booked, "5")),
        (f"/ops/deliveries/{booked.pk}/cancel/", {"reason": "no"}),
        ("/ops/deliveries/walk-in/", {"workshop": str(booked.workshop_id)}),
        (f"/ops/lines/{line.pk}/advance/", {"stage": "assembled"}),
        (f"/ops/orders/{line.order_id}/ship/", {"carrier": "DHL", "cartons": "1"}),
    ):
        assert client.post(url, form).status_code == 403
    booked.refresh_from_db()
    line.refresh_from_db()
    assert (booked.state, line.stage) == (DeliveryState.BOOKED, LineStage.PARTS_IN)


def test_a_field_worker_receives_in_her_regions(
    signed_in: SignIn, network: Network, booked: Delivery
) -> None:
    client = signed_in(Role.FIELD)
    url = f"/ops/deliveries/{booked.pk}/"
    network.area.region = "Coast"
    network.area.save()
    assert client.get(url).status_code == 404
    assert client.post(url, counting(booked, "9")).status_code == 404
    shop = f"/ops/deliveries/walk-in/?workshop={booked.workshop_id}"
    assert client.get(shop).status_code == 404
    network.area.region = "Nairobi"
    network.area.save()
    assert client.post(url, counting(booked, "100")).status_code == 302


def test_another_tenants_floor_is_not_there(
    qc: Client, network: Network, other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant):
        foreign = build_network(other_tenant)
        theirs, line = book(foreign), OrderLine.objects.first()
        assert line is not None
    for url, form in (
        (f"/ops/deliveries/{theirs.pk}/", {}),
        (f"/ops/deliveries/{theirs.pk}/cancel/", {"reason": "ours"}),
        ("/ops/deliveries/walk-in/", {"workshop": str(theirs.workshop_id)}),
        (f"/ops/lines/{line.pk}/advance/", {"stage": "assembled"}),
        (f"/ops/orders/{line.order_id}/ship/", {"carrier": "DHL", "cartons": "1"}),
    ):
        assert qc.post(url, form).status_code == 404


def test_a_line_goes_step_by_step_to_the_buyer(
    qc: Client, network: Network, grader: User
) -> None:
    line = ready_line(network, grader)
    ship = f"/ops/orders/{line.order_id}/ship/"
    form = {"carrier": "DHL", "tracking": "JD01", "cartons": "3"}
    early = qc.post(ship, form, follow=True).content.decode()
    assert "1 lines are not packed yet" in early
    skipped = qc.post(
        f"/ops/lines/{line.pk}/advance/", {"stage": "packed"}, follow=True
    )
    assert "cannot become packed" in skipped.content.decode()
    for stage in ("assembled", "assembled", "finished", "packed"):
        board = qc.get("/ops/assembly/").content.decode()
        assert f'action="/ops/lines/{line.pk}/advance/"' in board or stage == "packed"
        qc.post(f"/ops/lines/{line.pk}/advance/", {"stage": stage})
    assert "Ready to ship" in qc.get("/ops/assembly/").content.decode()
    qc.post(ship, form)
    qc.post(ship, form | {"carrier": "FedEx"})
    shipment = Shipment.objects.get()
    assert (shipment.carrier, shipment.cartons) == ("DHL", 3)
    assert Order.objects.get(pk=line.order_id).state == OrderState.SHIPPED


@pytest.mark.parametrize(
    "form",
    [
        {"carrier": "", "cartons": "1"},
        {"carrier": "DHL", "cartons": "0"},
        {"carrier": "DHL", "cartons": "-1"},
        {"carrier": "DHL", "cartons": "99999999"},
        {"carrier": "DHL", "cartons": "two"},
        {"carrier": "D" * 61, "cartons": "1"},
        {"carrier": "D\x00L", "cartons": "1"},
        {"carrier": "DHL", "cartons": "1", "tracking": "9" * 81},
    ],
)
def test_a_bad_shipment_is_refused(
    qc: Client, network: Network, grader: User, form: dict[str, str]
) -> None:
    line = ready_line(network, grader)
    for stage in ("assembled", "finished", "packed"):
        qc.post(f"/ops/lines/{line.pk}/advance/", {"stage": stage})
    page = qc.post(f"/ops/orders/{line.order_id}/ship/", form, follow=True)
    assert "is not shipped" in page.content.decode()
    assert not Shipment.objects.exists()


@pytest.mark.parametrize("stage", ["", "shipped", "waiting", "nonsense"])
def test_a_bad_stage_is_refused(
    qc: Client, network: Network, grader: User, stage: str
) -> None:
    line = ready_line(network, grader)
    qc.post(f"/ops/lines/{line.pk}/advance/", {"stage": stage})
    line.refresh_from_db()
    assert line.stage == LineStage.PARTS_IN


def test_the_board_says_what_is_missing_and_who_has_it(
    qc: Client, network: Network
) -> None:
    order = build_order(network, 100)
    work_order = order.lines.get().work_orders.get(component=network.pendant)
    for workshop, quantity in zip(network.horn, (40, 30), strict=False):
        job = offer_job(
            work_order=work_order, workshop=workshop, quantity=quantity, actor=SYSTEM
        )
        if quantity == 40:
            deliver(accept_job(job=job, actor=SYSTEM), 15)
    page = qc.get("/ops/assembly/").content.decode()
    wanted = "W-017: 25 · W-018 (asked): 30 · in grading or rework: 15"
    assert wanted in page
    assert "with nobody yet: 30" in page
    assert "to be bought: 100" in page


def test_lists_bear_any_address(qc: Client, booked: Delivery) -> None:
    for state in ("expected", "received", "all", "x"):
        for rest in (
            "q=W-017",
            "q=D-0001",
            "q=%00%27",
            "after=e30=",
            "before=WzEsMl0=",
        ):
            assert qc.get(f"/ops/deliveries/?state={state}&{rest}").status_code == 200
    for stage in (*LineStage.values, "x"):
        assert qc.get(f"/ops/assembly/?stage={stage}").status_code == 200
    assert "D-0001" in qc.get("/ops/deliveries/?q=d-1").content.decode()


def test_long_lists_turn_pages(qc: Client, network: Network) -> None:
    for number in range(52):
        Delivery.objects.create(
            tenant=network.tenant,
            number=1_000 + number,
            workshop=network.horn[0],
            booked_for=build_day(number % 3),
        )
    seen: list[str] = []
    page = qc.get("/ops/deliveries/").context["page"]
    seen += [row.pk for row in page.rows]
    assert (len(page.rows), page.previous_url) == (50, "")
    last = qc.get(f"/ops/deliveries/{page.next_url}").context["page"]
    seen += [row.pk for row in last.rows]
    assert (len(set(seen)), last.next_url) == (52, "")
    back = qc.get(f"/ops/deliveries/{last.previous_url}").context["page"]
    assert [row.pk for row in back.rows] == seen[:50]
    assert back.previous_url == ""


def test_what_waits_is_on_the_today_page(
    qc: Client, network: Network, booked: Delivery, grader: User
) -> None:
    ready_line(network, grader)
    page = qc.get("/ops/").content.decode()
    assert "Deliveries expected" in page
    assert "1 today: count them in" in page
    assert "Lines to assemble" in page


def test_deliveries_of_the_coming_week_are_expected(
    qc: Client, network: Network
) -> None:
    """The phone's first offered day is tomorrow: somebody is to be there."""
    booked = book(network, 60)
    for number, days in enumerate((1, 1, 7, 8)):
        later = book(network, 40 + number, number % 2 + 1)
        Delivery.objects.filter(pk=later.pk).update(booked_for=build_day(days))
    Delivery.objects.filter(pk=booked.pk).update(booked_for=build_day(-1))
    shown = {card.title: card for card in qc.get("/ops/").context["cards"]}
    expected = shown["Deliveries expected"]
    assert expected.count == 3
    day = build_day(1)
    assert expected.detail.startswith(f"2 on {day.day} {day:%b}")
    assert shown["Deliveries that did not come"].count == 1


def test_lists_take_the_same_queries_for_one_and_three_rows(
    qc: Client, network: Network, grader: User
) -> None:
    urls = (
        "/ops/deliveries/",
        "/ops/deliveries/?state=all",
        "/ops/deliveries/walk-in/",
        "/ops/assembly/",
        "/ops/assembly/?stage=waiting",
        "/ops/",
    )

    def another(number: int) -> None:
        book(network, 60, number)
        ready_line(network, grader, 30)
        packed = ready_line(network, grader, 40)
        OrderLine.objects.filter(pk=packed.pk).update(stage=LineStage.PACKED)

    def queries() -> list[int]:
        counts = []
        for url in urls:
            with CaptureQueriesContext(connection) as caught:
                assert qc.get(url).status_code == 200
            counts.append(len(caught))
        return counts

    another(0)
    queries()
    one = queries()
    another(1)
    another(2)
    assert queries() == one
    jobs = Job.objects.filter(delivery_lines__delivery__state="booked")
    assert jobs.count() == 3
