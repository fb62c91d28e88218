"""Coming in and going out, and staying with one brand while doing so."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from matching.models import Plan
from tests.browser.conftest import Opens, SignsIn, fill_sign_in, with_password
from tests.builders import Network, build_network, build_order
from vrp.accounts.enums import Role
from vrp.accounts.models import Membership, User
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_in_with_the_right_password_and_out_for_good(
    network: Network, person: Callable[..., User], open_page: Opens
) -> None:
    order = build_order(network)
    user = with_password(person(Role.PLANNER))
    page = open_page()
    page.goto(f"/ops/orders/{order.pk}/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    fill_sign_in(page, user, "not the password")
    expect(page.get_by_text("correct username and password")).to_be_visible()
    assert page.get_by_label("Password").input_value() == ""

    # The right one leads where the person wanted to go.
    page.get_by_label("Username").fill("")
    fill_sign_in(page, user)
    page.wait_for_url(f"**/ops/orders/{order.pk}/")

    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/ops/sign-in/")
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"/ops/orders/{order.pk}/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_tab_of_another_brand_is_refused(
    network: Network,
    other_tenant: Tenant,
    person: Callable[..., User],
    sign_in: SignsIn,
) -> None:
    order = build_order(network)
    with tenant_scope(other_tenant):
        build_network(other_tenant)
    user = person(Role.PLANNER)
    Membership.objects.create(user=user, tenant=other_tenant, role=Role.PLANNER)
    first = sign_in(user)
    first.get_by_label("Tenant").select_option("Soko")
    first.get_by_role("button", name="Switch").click()
    expect(first.get_by_text("You are now working in Soko")).to_be_visible()
    first.goto(f"/ops/orders/{order.pk}/")

    second = first.context.new_page()
    second.goto("/ops/")
    second.get_by_label("Tenant").select_option("Addis")
    second.get_by_role("button", name="Switch").click()
    expect(second.get_by_text("You are now working in Addis")).to_be_visible()
    second.goto("/ops/orders/")
    expect(second.get_by_text(order.po_number)).to_have_count(0)

    # The first tab still shows Soko's order: its button must not act in Addis.
    first.get_by_role("button", name="Plan this order").click()
    expect(
        first.get_by_role("heading", name="This page belongs to another brand")
    ).to_be_visible()
    expect(first.get_by_text("You are now in Addis")).to_be_visible()
    for tenant in (network.tenant, other_tenant):
        with tenant_scope(tenant):
            assert not Plan.objects.exists()

    # Back in Soko the same button does its work.
    first.get_by_role("link", name="Go to Today").click()
    first.get_by_label("Tenant").select_option("Soko")
    first.get_by_role("button", name="Switch").click()
    expect(first.get_by_text("You are now working in Soko")).to_be_visible()
    first.goto(f"/ops/orders/{order.pk}/")
    first.get_by_role("button", name="Plan this order").click()
    first.wait_for_url("**/ops/plans/*/")
    assert Plan.objects.get().made_by == user
