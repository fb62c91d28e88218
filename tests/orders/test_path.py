"""An order's life through the services of this room."""

from typing import Any

import pytest
from django.db import connection, transaction

from orders.enums import JobState, LineStage, OrderState, WorkOrderState
from orders.models import Order, PartNeed, WorkOrder
from orders.services.assembly import advance_line, ship_order
from orders.services.deliveries import book_delivery, receive_delivery
from orders.services.jobs import (
    accept_job,
    close_short,
    decline_job,
    offer_job,
    record_verdict,
    report_progress,
    withdraw_job,
)
from orders.services.placing import LineInput, cancel_order, place_order
from orders.services.stock import on_hand, receive_stock
from tests.builders import SYSTEM, Network, build_day, build_job, build_order
from vrp.errors import Conflict, IllegalMove, Invalid
from vrp.events.models import Event


def work_order_of(order: Order, code: str) -> WorkOrder:
    return WorkOrder.objects.get(line__order=order, component__code=code)


def test_an_order_explodes_into_made_and_bought_parts(network: Network) -> None:
    order = build_order(network, 1_200, stock=800)
    made = WorkOrder.objects.values_list("component__code", "quantity")
    assert sorted(made) == [("BH-02", 1_200), ("HP-01", 1_200)]
    assert PartNeed.objects.get(line__order=order).shortage == 400
    assert order.state == OrderState.PLACED


def test_the_same_po_number_names_the_first_order(network: Network) -> None:
    first = build_order(network, po="NRD-1")
    with pytest.raises(Conflict) as refused:
        build_order(network, po="NRD-1")
    assert refused.value.code == "duplicate_po"
    assert str(first.public_id) in refused.value.message
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lines": [LineInput("NOPE", 1)]}, "lines[0].sku"),
        ({"lines": [LineInput("HPN-01", 0)]}, "lines[0].quantity"),
        ({"lines": [LineInput("HPN-01", 1_000_001)]}, "lines[0].quantity"),
        ({"lines": [LineInput("HPN-01", 5), LineInput("HPN-01", 5)]}, "lines[1].sku"),
        ({"lines": []}, "lines"),
        ({"po_number": "  "}, "po_number"),
        ({"ship_by": build_day(-1)}, "ship_by"),
        ({"channel": "white_label", "lines": [LineInput("HPN-01", 20)]},
         "lines[0].quantity"),
        ({"channel": "carrier pigeon"}, "channel"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_with_its_field(
    network: Network, change: dict[str, object], field: str
) -> None:
    order = {
        "po_number": "X",
        "lines": [LineInput("HPN-01", 100)],
        "ship_by": build_day(28),
    } | change
    with pytest.raises(Invalid) as refused:
        place_order(tenant=network.tenant, buyer=network.buyer, actor=SYSTEM, **order)
    assert refused.value.field == field
    assert Order.objects.count() == 0


def test_an_offer_is_accepted_once_and_the_rest_comes_back(network: Network) -> None:
    job = build_job(network, 100, accepted=False)
    accept_job(job=job, quantity=60, actor=SYSTEM)
    again = accept_job(job=job, quantity=60, actor=SYSTEM)
    assert (again.state, again.quantity) == (JobState.ACCEPTED, 60)
    work_order = WorkOrder.objects.get(pk=job.work_order_id)
    assert (work_order.placed, work_order.accepted, work_order.open_quantity) == (
        60, 60, 40,
    )  # fmt: skip
    assert Event.objects.filter(name="job.accepted").count() == 1


def test_a_declined_offer_is_to_be_placed_again(network: Network) -> None:
    job = build_job(network, 100, accepted=False)
    decline_job(job=job, reason="busy", actor=SYSTEM)
    assert WorkOrder.objects.get(pk=job.work_order_id).open_quantity == 100
    with pytest.raises(IllegalMove):
        accept_job(job=job, actor=SYSTEM)


def test_more_than_the_rest_cannot_be_offered(network: Network) -> None:
    job = build_job(network, 100)
    other = network.horn[1]
    with pytest.raises(IllegalMove):
        offer_job(work_order=job.work_order, workshop=other, quantity=1, actor=SYSTEM)
    assert other.jobs.count() == 0


def test_a_small_lot_needs_a_reason_unless_it_is_the_rest(network: Network) -> None:
    order = build_order(network, 100)
    work_order = work_order_of(order, "HP-01")
    first, second, third = network.horn
    with pytest.raises(Invalid):
        offer_job(work_order=work_order, workshop=first, quantity=25, actor=SYSTEM)
    offer_job(
        work_order=work_order,
        workshop=first,
        quantity=25,
        actor=SYSTEM,
        override_reason="first article",
    )
    offer_job(work_order=work_order, workshop=second, quantity=50, actor=SYSTEM)
    offer_job(work_order=work_order, workshop=third, quantity=25, actor=SYSTEM)
    assert Event.objects.filter(reason="first article").count() == 1


def test_progress_is_absolute_and_repeats_change_nothing(network: Network) -> None:
    job = build_job(network)
    report_progress(job=job, made=40, actor=SYSTEM)
    report_progress(job=job, made=40, actor=SYSTEM)
    assert Event.objects.filter(name="job.progressed").count() == 1
    with pytest.raises(Invalid):
        report_progress(job=job, made=101, actor=SYSTEM)


def test_a_short_delivery_leaves_the_rest_with_the_job(network: Network) -> None:
    job = build_job(network)
    delivery = book_delivery(
        workshop=job.workshop, pieces={job: 100}, booked_for=build_day(3), actor=SYSTEM
    )
    assert (
        book_delivery(
            workshop=job.workshop,
            pieces={job: 100},
            booked_for=build_day(3),
            actor=SYSTEM,
        )
        == delivery
    )
    line = delivery.lines.get()
    receive_delivery(delivery=delivery, counts={line.pk: 98}, actor=SYSTEM)
    receive_delivery(delivery=delivery, counts={line.pk: 98}, actor=SYSTEM)
    job.refresh_from_db()
    assert (job.state, job.delivered, job.to_deliver) == (JobState.IN_PROGRESS, 98, 2)
    close_short(job=job, actor=SYSTEM, reason="two broke")
    assert WorkOrder.objects.get(pk=job.work_order_id).open_quantity == 2


def deliver_and_pass(network: Network, order: Order, code: str, shop: int = 0) -> None:
    work_order = work_order_of(order, code)
    shops = network.horn if code == "HP-01" else network.brass
    job = offer_job(
        work_order=work_order,
        workshop=shops[shop],
        quantity=work_order.open_quantity,
        actor=SYSTEM,
    )
    accept_job(job=job, actor=SYSTEM)
    delivery = book_delivery(
        workshop=shops[shop],
        pieces={job: job.quantity},
        booked_for=build_day(1),
        actor=SYSTEM,
    )
    line = delivery.lines.get()
    receive_delivery(delivery=delivery, counts={line.pk: job.quantity}, actor=SYSTEM)
    record_verdict(job=job, good=job.quantity, scrapped=0, rework=0, actor=SYSTEM)


def test_when_all_parts_are_in_the_order_is_ready_and_ships(network: Network) -> None:
    order = build_order(network, 50)
    deliver_and_pass(network, order, "HP-01")
    deliver_and_pass(network, order, "BH-02")
    order.refresh_from_db()
    assert order.state == OrderState.IN_PRODUCTION
    receive_stock(component=network.chain, quantity=60, reason="PO", actor=SYSTEM)
    order.refresh_from_db()
    line = order.lines.get()
    assert (order.state, line.stage) == (OrderState.READY, LineStage.PARTS_IN)
    with pytest.raises(IllegalMove):
        ship_order(order=order, carrier="DHL", tracking="", cartons=1, actor=SYSTEM)
    with pytest.raises(IllegalMove):
        advance_line(line=line, stage=LineStage.PACKED, actor=SYSTEM)
    for stage in (LineStage.ASSEMBLED, LineStage.FINISHED, LineStage.PACKED):
        advance_line(line=line, stage=stage, actor=SYSTEM)
        advance_line(line=line, stage=stage, actor=SYSTEM)
    assert on_hand(network.chain) == 10
    ship_order(order=order, carrier="DHL", tracking="1", cartons=2, actor=SYSTEM)
    ship_order(order=order, carrier="DHL", tracking="1", cartons=2, actor=SYSTEM)
    assert order.shipments.count() == 1
    assert Event.objects.filter(name="order.shipped").count() == 1


def test_scrapped_pieces_are_to_be_planned_again(network: Network) -> None:
    order = build_order(network, 50)
    work_order = work_order_of(order, "HP-01")
    job = offer_job(
        work_order=work_order, workshop=network.horn[0], quantity=50, actor=SYSTEM
    )
    accept_job(job=job, actor=SYSTEM)
    delivery = book_delivery(
        workshop=network.horn[0],
        pieces={job: 50},
        booked_for=build_day(1),
        actor=SYSTEM,
    )
    receive_delivery(
        delivery=delivery, counts={delivery.lines.get().pk: 50}, actor=SYSTEM
    )
    record_verdict(job=job, good=45, scrapped=2, rework=3, actor=SYSTEM)
    work_order.refresh_from_db()
    job.refresh_from_db()
    assert (work_order.good, work_order.open_quantity) == (45, 2)
    assert job.state == JobState.DELIVERED
    record_verdict(job=job, good=3, scrapped=0, rework=0, actor=SYSTEM)
    job.refresh_from_db()
    assert job.state == JobState.DONE
    offer_job(work_order=work_order, workshop=network.horn[0], quantity=2, actor=SYSTEM)


def test_a_cancelled_order_frees_its_parts_for_the_next(network: Network) -> None:
    first = build_order(network, 50, stock=50)
    second = build_order(network, 50)
    assert PartNeed.objects.get(line__order=second).reserved == 0
    cancel_order(order=first, actor=SYSTEM, reason="buyer asked")
    assert PartNeed.objects.get(line__order=second).reserved == 50
    states = WorkOrder.objects.filter(line__order=first).values_list("state", flat=True)
    assert set(states) == {WorkOrderState.CANCELLED}


def test_an_order_with_work_placed_cannot_be_cancelled(network: Network) -> None:
    job = build_job(network, accepted=False)
    order = job.work_order.line.order
    with pytest.raises(IllegalMove):
        cancel_order(order=order, actor=SYSTEM, reason="x")
    withdraw_job(job=job, actor=SYSTEM, reason="x")
    assert cancel_order(order=order, actor=SYSTEM, reason="x").state == "cancelled"


def test_a_bill_of_materials_that_contains_itself_is_refused(network: Network) -> None:
    from orders.models import BomLine, Component

    ring = Component.objects.create(
        tenant=network.tenant, code="SUB", name="Sub-assembly", kind="assembled"
    )
    for parent in ({"product": network.product}, {"parent": ring}):
        BomLine.objects.create(
            tenant=network.tenant, component=ring, quantity=1, **parent
        )
    with pytest.raises(Invalid, match="contains itself"):
        build_order(network)


def test_stock_taken_out_is_taken_from_what_ships_last(network: Network) -> None:
    soon = build_order(network, 60, stock=100)
    late = place_order(
        tenant=network.tenant,
        buyer=network.buyer,
        po_number="LATE",
        lines=[LineInput("HPN-01", 40)],
        ship_by=build_day(40),
        actor=SYSTEM,
    )
    receive_stock(component=network.chain, quantity=-55, reason="lost", actor=SYSTEM)
    reserved = {
        order: PartNeed.objects.get(line__order=order).reserved
        for order in (soon, late)
    }
    assert reserved == {soon: 45, late: 0}


def test_taking_out_promised_parts_makes_a_ready_order_wait(network: Network) -> None:
    order = build_order(network, 50, stock=50)
    deliver_and_pass(network, order, "HP-01")
    deliver_and_pass(network, order, "BH-02")
    order.refresh_from_db()
    assert order.state == OrderState.READY
    receive_stock(component=network.chain, quantity=-1, reason="lost", actor=SYSTEM)
    order.refresh_from_db()
    assert order.state == OrderState.IN_PRODUCTION
    assert order.lines.get().stage == LineStage.WAITING


def test_a_product_in_another_currency_is_refused(network: Network) -> None:
    network.product.currency = "EUR"
    network.product.save()
    with pytest.raises(Invalid, match="priced in EUR"):
        build_order(network)


def test_more_parts_than_can_be_counted_are_refused(network: Network) -> None:
    network.product.bom.update(quantity=3_000)
    with pytest.raises(Invalid) as refused:
        build_order(network, 1_000_000)
    assert refused.value.field == "lines[0].quantity"


def test_many_lines_cost_no_more_queries_than_one(
    network: Network, django_assert_max_num_queries: Any
) -> None:
    from orders.models import BomLine, Product

    skus = []
    for number in range(40):
        product = Product.objects.create(
            tenant=network.tenant, sku=f"P-{number}", name="x", price_minor=100
        )
        for part in (network.pendant, network.chain):
            BomLine.objects.create(
                tenant=network.tenant, product=product, component=part, quantity=1
            )
        skus.append(product.sku)
    with django_assert_max_num_queries(45):
        place_order(
            tenant=network.tenant,
            buyer=network.buyer,
            po_number="MANY",
            lines=[LineInput(sku, 10) for sku in skus],
            ship_by=build_day(28),
            actor=SYSTEM,
        )
    assert WorkOrder.objects.count() == 40
    assert PartNeed.objects.count() == 40


def test_levels_multiply(network: Network) -> None:
    from orders.models import BomLine, Component

    pair = Component.objects.create(
        tenant=network.tenant, code="PAIR", name="Pair of hooks", kind="assembled"
    )
    BomLine.objects.create(
        tenant=network.tenant, product=network.product, component=pair, quantity=2
    )
    BomLine.objects.create(
        tenant=network.tenant, parent=pair, component=network.hook, quantity=3
    )
    order = build_order(network, 10)
    assert work_order_of(order, "BH-02").quantity == 10 + 10 * 2 * 3


def test_all_deferred_constraints_hold(network: Network) -> None:
    build_job(network)
    with transaction.atomic():
        connection.check_constraints()
