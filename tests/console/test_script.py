"""The script in a real browser: quicker with it, whole without it."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STYLE_PAGE = "/ops/styleguide/"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Playwright's loop makes Django think that this thread is asynchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def _style_page(settings: Any) -> None:
    settings.EMBEDDED = True


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(chromium: Browser, live_server: Any, complaints: list[str]) -> Iterator[Page]:
    page = chromium.new_page(
        base_url=live_server.url, viewport={"width": 1280, "height": 800}
    )
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(STYLE_PAGE)
    yield page
    page.close()


def total(page: Page) -> str:
    return " ".join(page.locator("[data-sum]").inner_text().split())


def test_the_browser_refuses_nothing(page: Page, complaints: list[str]) -> None:
    expect(page.locator("html.js")).to_be_attached()
    assert complaints == []


def test_grades_by_keyboard_alone(page: Page) -> None:
    page.keyboard.press("d")
    page.keyboard.type("61")
    page.keyboard.press("Enter")
    page.keyboard.type("27")
    page.keyboard.press("Enter")
    page.keyboard.press("+")
    page.keyboard.press("-")
    page.keyboard.press("r")
    page.keyboard.press("=")
    assert total(page) == "61 + 27 + 4 + 6 = 98 of 98"
    page.keyboard.press("s")
    page.keyboard.type("9")
    assert total(page) == "61 + 27 + 4 + 6 + 9 = 107 of 98 9 too many"
    page.keyboard.press("=")
    assert total(page) == "61 + 27 + 4 + 6 = 98 of 98"
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Save grades")).to_be_focused()


def test_a_key_is_a_letter_while_one_types(page: Page) -> None:
    page.locator("[data-filter]").focus()
    page.keyboard.type("chebet ki")
    expect(page.locator("#jobs tbody tr:visible")).to_have_count(1)
    expect(page.locator("[data-filter]")).to_have_value("chebet ki")


def test_a_double_click_sends_once(page: Page) -> None:
    posts: list[str] = []

    def keep(route: Route) -> None:
        posts.append(route.request.url)
        route.fulfill(status=204)

    page.route("**/never/", keep)
    page.evaluate("document.querySelector('#grading form').action = '/never/'")
    save = page.get_by_role("button", name="Save grades")
    save.dblclick()
    save.click()
    page.wait_for_function("document.querySelector('#grading form[aria-busy]')")
    assert len(posts) == 1


def test_the_drawer_of_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    nav = page.locator("#nav")
    if nav.count() == 0:  # signed out there is no navigation: give the page one
        page.evaluate(
            """() => document.body.insertAdjacentHTML("beforeend",
            '<nav class="side" id="nav"><a class="side-close" href="#content">Close</a>'
            + '</nav><a href="#nav" data-drawer="nav">More</a>')"""
        )
    expect(nav).to_be_hidden()
    page.locator("[data-drawer]").click()
    expect(page.locator(".side-close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(nav).to_be_hidden()
    expect(page.locator("[data-drawer]")).to_be_focused()


@pytest.mark.parametrize("width", [360, 768, 1280, 1600])
def test_nothing_is_wider_than_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    widest = page.evaluate("document.documentElement.scrollWidth")
    assert widest <= width


def test_a_region_keeps_fresh_until_told_to_stop(page: Page) -> None:
    answers = ["<p>one</p>", "<p>two</p>", None]
    asked: list[str] = []

    def fragment(route: Route) -> None:
        asked.append(route.request.headers["x-requested-with"])
        body = answers[min(len(asked), 3) - 1]
        route.fulfill(status=200 if body else 204, body=body or "")

    def whole(route: Route) -> None:
        route.fulfill(
            content_type="text/html",
            body='<script src="/static/vrp/app.js" defer></script>'
            '<div data-refresh-url="/fragment/" data-refresh-seconds="2">old</div>',
        )

    page.clock.install()
    page.route("**/fragment/", fragment)
    page.route("**/whole/", whole)
    page.goto("/whole/")
    region = page.locator("[data-refresh-url]")
    expect(page.locator("html.js")).to_be_attached()
    for words in ("one", "two"):
        page.clock.run_for(2_100)
        expect(region).to_have_text(words)
    with page.expect_response("**/fragment/"):
        page.clock.run_for(2_100)
    page.clock.run_for(60_000)
    expect(region).to_have_text("two")
    assert asked == ["fetch"] * 3


def test_everything_is_there_without_the_script(
    chromium: Browser, live_server: Any
) -> None:
    context = chromium.new_context(java_script_enabled=False, base_url=live_server.url)
    page = context.new_page()
    page.goto(STYLE_PAGE)
    assert total(page) == "60 + 28 + 4 + 4 = 96 of 98 2 to grade"
    expect(page.locator("[data-filter]")).to_be_hidden()
    expect(page.locator("[data-print]")).to_be_hidden()
    expect(page.locator("#jobs tbody tr")).to_have_count(5)
    context.close()
