"""Coming in and going out, and staying with one brand while doing so."""

from collections.abc import Callable

import pyotp
import pytest
from playwright.sync_api import expect

from matching.models import Plan
from tests.browser.conftest import Opens, SignsIn, fill_sign_in, with_password
from tests.builders import Network, build_network, build_order
from vrp.accounts.enums import Role
from vrp.accounts.models import Membership, User
from vrp.tenancy.enums import SecondFactorRule
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


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_led_to_a_second_factor_and_in_by_it(
    network: Network, person: Callable[..., User], open_page: Opens, script: bool
) -> None:
    """On a phone, by keyboard alone: from the demand to the next sign-in."""
    network.tenant.second_factor = SecondFactorRule.ALL
    network.tenant.save()
    user = with_password(person(Role.PLANNER))
    page = open_page(phone=True, script=script)
    page.goto("/ops/orders/")
    fill_sign_in(page, user)
    expect(page.get_by_text("Your brand asks for a second factor")).to_be_visible()
    begin = page.get_by_role("button", name="Begin")
    begin.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    key = page.locator("code.key").inner_text().replace(" ", "")
    page.get_by_label("Code that the app shows").fill(pyotp.TOTP(key).now())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    recovery = page.locator(".codes code").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url("**/ops/")

    page = open_page(phone=True, script=script)
    page.goto("/ops/orders/")
    fill_sign_in(page, user)
    expect(page.get_by_label("Code")).to_be_focused()
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This code is not right")).to_be_visible()
    page.get_by_label("Code").fill(recovery)
    page.keyboard.press("Enter")
    page.wait_for_url("**/ops/orders/")


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
