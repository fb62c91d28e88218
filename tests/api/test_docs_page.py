"""The docs page in a real browser, on a desk and on a phone."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_fits_and_the_browser_refuses_nothing(
    chromium: Browser, live_server: Any, width: int
) -> None:
    complaints: list[str] = []
    hosts: set[str] = set()
    page = chromium.new_page(viewport={"width": width, "height": 800})
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(f"{live_server.url}/api/docs/")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    if width < 500:
        page.get_by_role("link", name="Contents").click()
    page.get_by_role("navigation").get_by_role("link", name="Place an order").click()
    expect(page.locator("#place_order h3")).to_be_in_viewport()
    assert complaints == []
    assert hosts == {live_server.url.split("/")[2]}
    page.close()
