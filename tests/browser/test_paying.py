"""Two people and one run: made by one, approved by the other with the total typed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from payments.enums import PayoutState, RunState
from payments.models import Payable, PayoutRun
from tests.browser.conftest import SignsIn
from tests.builders import Network
from tests.payments.conftest import grade
from vrp.accounts.enums import Role
from vrp.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def state_of(run: PayoutRun) -> str:
    run.refresh_from_db()
    return run.state


def send_total(page: Page, run: PayoutRun, total: str) -> int:
    """Post the form that this person's page does not show; returns the status."""
    cookies = {one["name"]: one["value"] for one in page.context.cookies()}
    answer = page.request.post(
        f"/ops/payouts/{run.pk}/approve/",
        form={"csrfmiddlewaretoken": cookies["vrp_csrf"], "total": total},
        max_redirects=0,
    )
    return answer.status


def test_a_run_needs_two_people_and_its_total(
    network: Network,
    person: Callable[..., User],
    sign_in: SignsIn,
) -> None:
    for workshop, pieces in zip(network.horn, (92, 75, 40), strict=True):
        grade(network, pieces, workshop=workshop)

    # The maker looks at who is owed, leaves one out for later, and makes the run.
    maker = sign_in(person(Role.FINANCE_MAKER, Role.FINANCE_CHECKER, name="maker"))
    maker.get_by_role("link", name="Workshops to pay").first.click()
    maker.wait_for_url("**/ops/payouts/new/")
    maker.get_by_label("W-019").uncheck()
    maker.get_by_role("button", name="Make this run").click()
    expect(maker.get_by_text("Another person approves it now")).to_be_visible()
    run = PayoutRun.objects.get()
    assert (run.state, run.total_minor) == (RunState.DRAFT, 167 * 56_000)

    # She may approve the runs of others, not her own: no form, and no way around it.
    expect(maker.get_by_text("You made this run. Another person")).to_be_visible()
    expect(maker.get_by_label("Total in KES")).to_have_count(0)
    assert send_total(maker, run, "93520") == 403
    assert state_of(run) == RunState.DRAFT

    # The checker is told on Today; a wrong total pays nobody.
    checker = sign_in(person(Role.FINANCE_CHECKER, name="checker"))
    checker.get_by_role("link", name="Runs to approve").first.click()
    checker.wait_for_url(f"**/ops/payouts/{run.pk}/")
    for wrong in ("93,521", "ninety"):
        checker.get_by_label("Total in KES").fill(wrong)
        checker.get_by_role("button", name="Approve and pay").click()
        expect(checker.locator(".notice-bad")).to_be_visible()
        expect(checker.get_by_label("Total in KES")).to_have_value("")
        assert state_of(run) == RunState.DRAFT
    checker.get_by_label("Total in KES").fill("93,520")
    checker.get_by_role("button", name="Approve and pay").click()
    expect(checker.get_by_text(f"{run} is approved")).to_be_visible()

    assert state_of(run) == RunState.APPROVED
    assert run.approved_by is not None
    assert run.approved_by.username == "soko-checker"
    states = set(run.payouts.values_list("state", flat=True))
    assert states == {PayoutState.QUEUED}

    # What was left out is still owed; the maker's next run is for that alone.
    maker.goto("/ops/payouts/new/")
    expect(maker.locator("#lines tbody tr")).to_have_count(1)
    expect(maker.locator("#lines tbody")).to_contain_text("W-019")
    assert Payable.objects.count() == 3
