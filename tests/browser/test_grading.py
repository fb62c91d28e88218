"""Grading a batch with the keyboard only, and with no script at all."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from payments.models import Payable
from qc.enums import Grade
from qc.models import Batch, Inspection
from qc.services import ensure_default_defects
from tests.browser.conftest import Opens, SignsIn, fill_sign_in, with_password
from tests.builders import Network
from tests.qc.steps import bring_in
from vrp.accounts.enums import Role
from vrp.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


# Presses keys faster than the browser paints, which moves the focus out of a dialog
# that was closed only then. A key that no script takes does what it does by itself.
AT_ONCE = """keys => keys.forEach((name) => {
  const key = name.replace("Shift+", "");
  const open = document.querySelector("dialog[open]");
  const press = new KeyboardEvent("keydown", {
    key, shiftKey: key !== name, bubbles: true, cancelable: true});
  if (!document.activeElement.dispatchEvent(press)) return;
  if (key === "Enter") document.activeElement.click();
  if (key === "Escape" && open) open.close();
})"""


@pytest.fixture
def batch(network: Network) -> Batch:
    ensure_default_defects(tenant=network.tenant)
    return bring_in(network, 40, counted=20)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def at_once(page: Page, *keys: str) -> None:
    page.evaluate(AT_ONCE, list(keys))


def test_a_batch_is_graded_by_keyboard_only(
    batch: Batch, person: Callable[..., User], sign_in: SignsIn
) -> None:
    page = sign_in(person(Role.QC))
    page.goto(page.url + "batches/")
    press(page, "g")
    page.wait_for_url(f"**/ops/batches/{batch.pk}/")
    total = page.locator("[data-sum]")

    # In bulk: N opens the numbers, Escape goes back to one key for one piece.
    press(page, "n")
    page.keyboard.type("10")
    press(page, "Escape", *"aa", *"22")
    expect(total).to_contain_text("12 + 2 = 14 of 20")
    press(page, "u")
    expect(total).to_contain_text("12 + 1 = 13 of 20")

    # A piece of B asks for its defect once; Shift asks again.
    press(page, "d")
    expect(page.locator("dialog h2")).to_have_text("B: what is wrong?")
    expect(page.locator("dialog [data-defect]").first).to_contain_text("colour differs")
    press(page, "1", "3", "Shift+D", "3")
    expect(page.locator("[data-counter=b] [data-line]")).to_have_count(2)

    # Escape leaves the piece uncounted; then two for rework, one of them undone.
    press(page, "4", "Escape")
    expect(total).to_contain_text("12 + 1 + 2 + 1 = 16 of 20")
    press(page, "f", "1", "f", "Backspace")
    at_once(page, "g", "1", "Enter")
    expect(total).to_contain_text("12 + 1 + 2 + 1 + 1 + 1 = 18 of 20")

    # Not complete: Enter says what is left. Complete: Enter goes to the button.
    expect(page.locator("[data-said]")).to_have_text("2 still to grade")
    at_once(page, "Shift+G", "Escape", "Enter")
    expect(total).to_contain_text("= 18 of 20")
    press(page, "Enter")
    expect(page.locator("[data-said]")).to_have_text("2 still to grade")
    press(page, "s", "s", "a")
    expect(page.locator("[data-said]")).to_contain_text("All 20 pieces have a grade")
    press(page, "Enter", "Enter")
    expect(page.get_by_role("heading", name="What was found")).to_be_visible()

    found = Inspection.objects.get()
    counts = (found.aa, found.a, found.b, found.rework, found.scrap)
    assert counts == (12, 3, 3, 1, 1)
    reasons = found.grades.filter(grade=Grade.B).values_list("defect__code", flat=True)
    assert sorted(reasons) == ["colour-differs", "colour-differs", "crack"]
    assert Payable.objects.get().items == 18
    # The heading may be there before the script that knows the key.
    page.wait_for_load_state()
    press(page, "l")
    expect(page.locator(".label")).to_have_count(18)


def test_a_batch_is_graded_without_a_script(
    batch: Batch, person: Callable[..., User], open_page: Opens
) -> None:
    page = open_page(phone=True, script=False)
    page.goto(f"/ops/batches/{batch.pk}/")
    fill_sign_in(page, with_password(person(Role.QC)))
    page.wait_for_url(f"**/ops/batches/{batch.pk}/")
    page.fill("[name=aa]", "15")
    page.locator("[name=rework_count]").nth(0).fill("3")
    page.locator("[name=rework_defect]").nth(0).select_option("scratch")
    page.locator("[name=rework_count]").nth(1).fill("1")
    page.locator("[name=rework_defect]").nth(1).select_option("crack")
    page.get_by_role("button", name="Save grades").click()
    expect(
        page.get_by_text("the grades add up to 19: 1 still to grade")
    ).to_be_visible()
    assert page.locator("[name=rework_count]").nth(1).input_value() == "1"
    page.fill("[name=aa]", "16")
    page.get_by_role("button", name="Save grades").click()
    expect(page.get_by_text("16 of 20 accepted")).to_be_visible()
    assert Inspection.objects.get().rework == 4
