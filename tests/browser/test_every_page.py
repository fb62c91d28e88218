"""Every page of the navigation on a phone, with something to show on each."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from payments.services.runs import make_run
from qc.services import ensure_default_defects
from tests.builders import SYSTEM, Network, build_order, build_user
from tests.matching.helpers import made_plan, pendants
from tests.payments.conftest import grade
from tests.qc.steps import bring_in
from tests.qc.test_floor_console import book, ready_line
from vrp.accounts.enums import Role
from vrp.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# How far the widest thing sticks out to the right, in pixels.
TOO_WIDE = """() => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return null;
  const out = [...document.body.querySelectorAll("*")].filter(
    (node) => node.getBoundingClientRect().right > page.clientWidth + 1);
  const names = out.slice(-3).map((node) => `${node.tagName}.${node.className}`);
  return `${page.scrollWidth} px: ${names.join(", ")}`;
}"""


@pytest.fixture
def busy(network: Network) -> User:
    """A factory with something in every list, and a person who may do everything."""
    user = build_user(network.tenant, "everything", *Role)
    ensure_default_defects(tenant=network.tenant)
    made_plan(pendants(build_order(network, 250)))
    ready_line(network, user)
    book(network, 60)
    bring_in(network, 40, counted=20)
    grade(network, 92, workshop=network.horn[1])
    make_run(tenant=network.tenant, made_by=user, actor=SYSTEM)
    grade(network, 30, workshop=network.horn[2])
    return user


def test_every_page_fits_a_phone(
    busy: User, visit: Callable[..., Page], complaints: list[str]
) -> None:
    page = visit(busy, "", phone=True)
    listed = page.locator("#nav a[href^='/ops/']")
    pages = listed.evaluate_all("all => all.map((a) => a.getAttribute('href'))")
    assert len(pages) >= 12
    found: dict[str, str] = {}
    seen: list[str] = []

    def look(address: str) -> None:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        expect(page.locator("h1").first).to_be_visible()
        wide = page.evaluate(TOO_WIDE)
        if wide:
            found[address] = wide
        seen.append(address)

    for address in pages:
        look(address)
        # The first thing that the page lists, too.
        links = page.locator("main table tbody a[href^='/ops/']")
        first = links.first.get_attribute("href") if links.count() else None
        if first and first not in seen:
            look(first)
    for extra in ("payouts/new/", "payouts/?view=runs", "assembly/?stage=waiting"):
        look(f"/ops/{extra}")
    assert found == {}
    assert complaints == []
    assert len(seen) > len(pages) + 6

    # And what would be heard if a page broke its policy: an inline style is refused.
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<p style=\"top:0\">')"
    )
    page.close()
    assert complaints
    assert all("Content Security Policy" in one for one in complaints)
    complaints.clear()


def test_the_drawer_leads_everywhere_on_a_phone(
    person: Callable[..., User], visit: Callable[..., Page]
) -> None:
    page = visit(person(Role.QC), "", phone=True)
    shortcuts = page.get_by_role("navigation", name="Shortcuts")
    main = page.get_by_role("navigation", name="Main")
    expect(main.get_by_role("link", name="Assembly")).not_to_be_in_viewport()
    shortcuts.get_by_role("link", name="More").click()
    expect(main.get_by_role("link", name="Assembly")).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(main.get_by_role("link", name="Assembly")).not_to_be_in_viewport()
    shortcuts.get_by_role("link", name="More").click()
    main.get_by_role("link", name="Assembly").click()
    page.wait_for_url("**/ops/assembly/")
