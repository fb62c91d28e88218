"""A headless Chromium that signs in as people do."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from vrp.accounts.models import User

PASSWORD = "a long enough password"


@pytest.fixture
def chromium(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """One browser for one test, closed before the database is emptied.

    Playwright's loop runs in this thread while it is open, so Django has to be told that
    its database calls here are not asynchronous ones.
    """
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page of a new session. A script error on it fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    found = context.new_page()
    errors: list[str] = []
    found.on("pageerror", lambda error: errors.append(str(error)))
    yield found
    context.close()
    assert errors == []


@pytest.fixture
def sign_in(page: Page, live_server: LiveServer) -> Callable[[User], Page]:
    """``sign_in(user)``: the page after the sign-in form, on Today."""

    def go(user: User) -> Page:
        user.set_password(PASSWORD)
        user.save()
        page.goto(f"{live_server.url}/ops/sign-in/")
        page.fill("[name=username]", user.username)
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/ops/")
        return page

    return go
