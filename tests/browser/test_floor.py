"""At headquarters: counting in what came, and sending out what was ordered."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from orders.enums import DeliveryState, JobState, LineStage, OrderState
from orders.models import Shipment
from qc.models import Batch
from tests.builders import Network, build_user
from tests.qc.test_floor_console import book, ready_line
from vrp.accounts.enums import Role
from vrp.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_delivery_comes_two_pieces_short(
    network: Network, person: Callable[..., User], visit: Callable[..., Page]
) -> None:
    delivery = book(network, 100)
    page = visit(person(Role.QC), "deliveries/")
    page.get_by_role("link", name=str(delivery)).click()

    # The number that was declared is not filled in: people count.
    count = page.get_by_label("Counted for job")
    expect(count).to_be_focused()
    expect(count).to_have_value("")
    count.fill("101")
    page.get_by_role("button", name="Save the count").click()
    assert not count.evaluate("input => input.checkValidity()")
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.BOOKED

    count.fill("98")
    page.keyboard.press("Enter")
    expect(page.get_by_text("98 of 100 pieces counted in")).to_be_visible()
    expect(page.get_by_text("Fewer pieces than declared")).to_be_visible()
    expect(page.get_by_label("Counted for job")).to_have_count(0)
    delivery.refresh_from_db()
    job = delivery.lines.get().job
    assert delivery.state == DeliveryState.RECEIVED
    assert (job.delivered, job.to_deliver) == (98, 2)
    assert job.state in (JobState.ACCEPTED, JobState.IN_PROGRESS)

    # What was counted waits to be graded, one click further.
    batch = Batch.objects.get()
    page.get_by_role("link", name=str(batch)).click()
    page.wait_for_url(f"**/ops/batches/{batch.pk}/")
    expect(page.locator("[data-sum]")).to_contain_text("of 98")


def test_a_line_is_packed_and_its_order_shipped(
    network: Network, person: Callable[..., User], visit: Callable[..., Page]
) -> None:
    grader = build_user(network.tenant, "grader", Role.QC)
    line = ready_line(network, grader)
    order = line.order
    page = visit(person(Role.QC), "assembly/")
    for stage in (LineStage.ASSEMBLED, LineStage.FINISHED, LineStage.PACKED):
        expect(page.get_by_role("button", name="Ship")).to_have_count(0)
        step = f"{stage.label}: {order.po_number}"
        page.locator("button", has_text=step).click()
        expect(page.get_by_role("status")).to_contain_text(f": {stage.label}.")
        line.refresh_from_db()
        assert line.stage == stage

    # The browser asks for the carrier; nothing leaves without.
    page.get_by_label("Cartons").fill("3")
    page.get_by_role("button", name=f"Ship {order.po_number}").click()
    expect(page.get_by_label("Carrier")).to_be_focused()
    assert not Shipment.objects.exists()
    page.get_by_label("Carrier").fill("DHL Express")
    page.get_by_label("Tracking").fill("JD014600003")
    page.get_by_role("button", name=f"Ship {order.po_number}").dblclick()
    expect(page.get_by_text(f"{order.po_number} has left")).to_be_visible()
    sent = Shipment.objects.get()
    assert (sent.carrier, sent.tracking, sent.cartons) == (
        "DHL Express",
        "JD014600003",
        3,
    )
    order.refresh_from_db()
    assert order.state == OrderState.SHIPPED

    page.goto(f"/ops/orders/{order.pk}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("shipped")
    expect(page.get_by_role("button", name="Plan this order")).to_have_count(0)
