"""From an order to offers: planning, looking it over, releasing."""

from collections.abc import Callable

import pytest
from django.db.models import Sum
from playwright.sync_api import Page, expect

from matching.enums import PlanState
from matching.models import Plan
from matching.services import OUTBOX
from orders.enums import JobState
from orders.models import Job, Order
from orders.services.jobs import decline_job
from tests.builders import SYSTEM, Network, build_order
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.events import outbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def order(network: Network) -> Order:
    """150 necklaces: 150 pendants and 150 hooks to be made."""
    return build_order(network, 150, stock=1_000)


def compute() -> Plan:
    """What a worker does with the plan that was asked for."""
    plan = Plan.objects.latest("number")
    assert outbox.run(OUTBOX, plan.pk)
    return plan


def test_an_order_is_planned_changed_and_released(
    order: Order,
    network: Network,
    person: Callable[..., User],
    visit: Callable[..., Page],
) -> None:
    page = visit(person(Role.PLANNER), "")
    page.get_by_role("link", name="New orders without a plan").first.click()
    page.wait_for_url(f"**/ops/orders/{order.pk}/")
    page.get_by_role("button", name="Plan this order").click()
    page.wait_for_url("**/ops/plans/*/")
    expect(page.get_by_text("Looking for the best workshops")).to_be_visible()
    expect(page.locator("#release")).to_have_count(0)

    # The page turns to the result by itself.
    plan = compute()
    release = page.locator("#release > summary")
    expect(release).to_be_visible()
    proposed = plan.proposals.count()
    expect(release).to_have_text(f"Release: offer {proposed} jobs")

    # A lot below the smallest needs its reason; what was typed is not lost.
    pendants = page.locator("section.work", has_text="HP-01")
    inputs = pendants.locator("table.proposals input.pieces")
    before = int(inputs.first.input_value())
    inputs.first.fill("10")
    pendants.get_by_role("button", name="Save quantities").click()
    expect(pendants.get_by_text("Not saved")).to_be_visible()
    expect(inputs.first).to_have_value("10")
    inputs.first.fill(str(before - 1))
    pendants.get_by_role("button", name="Save quantities").click()
    expect(page.get_by_text("Changed for 1 workshop")).to_be_visible()
    assert not Job.objects.exists()

    # An impatient double click offers each job once.
    release.click()
    expect(page.locator("#release")).to_contain_text(f"{proposed} SMS go out")
    expect(page.locator("#release")).to_contain_text("1 piece stays short")
    assert not Job.objects.exists()
    page.get_by_role("button", name="Yes, release it").dblclick()
    expect(page.get_by_text(f"Released: {proposed} offers")).to_be_visible()
    plan.refresh_from_db()
    assert plan.state == PlanState.RELEASED
    offered = Job.objects.filter(state=JobState.OFFERED)
    assert offered.count() == Job.objects.count() == proposed
    assert offered.aggregate(pieces=Sum("quantity"))["pieces"] == 299

    # Somebody declines: the order page says so and asks others with one click.
    job = Job.objects.filter(workshop__in=network.horn).first()
    assert job is not None
    decline_job(job=job, reason="busy", actor=SYSTEM)
    page.goto(f"/ops/orders/{order.pk}/")
    expect(page.locator("#short")).to_contain_text(f"{job.workshop.code} declined")
    page.get_by_role("button", name=f"Re-offer {job.quantity + 1} pieces").click()
    page.wait_for_url("**/ops/plans/*/")
    again = compute()
    expect(page.locator("#release > summary")).to_be_visible()
    assert not again.proposals.filter(
        workshop=job.workshop, work_order=job.work_order
    ).exists()


def test_the_same_on_a_phone_without_a_script(
    order: Order, person: Callable[..., User], visit: Callable[..., Page]
) -> None:
    path = f"orders/{order.pk}/"
    page = visit(person(Role.PLANNER), path, phone=True, script=False)
    page.get_by_role("button", name="Plan this order").click()
    page.wait_for_url("**/ops/plans/*/")
    plan = compute()
    page.get_by_role("link", name="refresh").click()
    page.locator("#release > summary").click()
    page.get_by_role("button", name="Yes, release it").click()
    expect(page.get_by_text("offers are on the way by SMS")).to_be_visible()
    assert Job.objects.count() == plan.proposals.count() > 1
    # A reload asks for nothing again: the page came from a redirect.
    page.reload()
    expect(page.get_by_text("Released by")).to_be_visible()
    assert Job.objects.count() == plan.proposals.count()

    # With every piece offered there is nothing left to plan.
    page.goto(f"/ops/orders/{order.pk}/")
    expect(page.get_by_role("button", name="Plan this order")).to_have_count(0)
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/ops/sign-in/")
