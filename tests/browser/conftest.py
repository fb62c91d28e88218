"""A headless Chromium that signs in as people do, and hears what its pages complain of."""

import shutil
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)
from pytest_django.live_server_helper import LiveServer

from vrp.accounts.models import User

PASSWORD = "a long enough password"
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
# Longest wait for anything on a page, in milliseconds: only a failing test waits it out.
PATIENCE = 20_000


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for all journeys; each session on it is a context of its own.

    Playwright's loop runs in this thread while it is open, so Django has to be told that
    its database calls here are not asynchronous ones.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(
            executable_path=program or shutil.which("google-chrome"),
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        yield browser
        browser.close()


class Opens(Protocol):
    """``open_page(phone=True, script=False)``: an empty page of a new session."""

    def __call__(self, *, phone: bool = False, script: bool = True) -> Page: ...


@pytest.fixture
def complaints() -> list[str]:
    """What scripts, styles and the security policy complained of, on every page."""
    return []


@pytest.fixture
def open_page(
    chromium: Browser, live_server: LiveServer, complaints: list[str]
) -> Iterator[Opens]:
    """Opens sessions; a script error or a broken policy in any of them fails the test."""
    contexts: list[BrowserContext] = []

    def go(*, phone: bool = False, script: bool = True) -> Page:
        context = chromium.new_context(
            base_url=live_server.url,
            viewport=PHONE if phone else DESK,
            java_script_enabled=script,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.on("weberror", lambda raised: complaints.append(str(raised.error)))
        context.on("console", lambda said: _note(said, complaints))
        return context.new_page()

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def _note(said: ConsoleMessage, complaints: list[str]) -> None:
    """Keep errors, but for the browser's remark that a page answered 4xx on purpose."""
    where = str(said.location.get("url", ""))
    answered = said.text.startswith("Failed to load resource") and "/ops/" in where
    if said.type == "error" and not (answered and "status of 4" in said.text):
        complaints.append(f"{where}: {said.text}")


@pytest.fixture
def page(open_page: Opens) -> Page:
    """An empty page of a new session, as wide as a desk's screen."""
    return open_page()


def with_password(user: User) -> User:
    """The person with the password that all people of these tests have."""
    user.set_password(PASSWORD)
    user.save()
    return user


def fill_sign_in(page: Page, user: User, password: str = PASSWORD) -> None:
    """Fill the sign-in form that is open, and send it with Enter."""
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


class SignsIn(Protocol):
    """``sign_in(user)``: the page after the sign-in form, on Today."""

    def __call__(self, user: User, page: Page | None = None) -> Page: ...


@pytest.fixture
def sign_in(open_page: Opens) -> SignsIn:
    """Signs a person in by the form: in a new session, unless a page is given."""

    def go(user: User, page: Page | None = None) -> Page:
        page = page or open_page()
        page.goto("/ops/sign-in/")
        fill_sign_in(page, with_password(user))
        page.wait_for_url("**/ops/")
        return page

    return go


@pytest.fixture
def visit(sign_in: SignsIn, open_page: Opens) -> Callable[..., Page]:
    """``visit(user, "orders/", phone=True)``: a page of the console, signed in."""

    def go(user: User, path: str, *, phone: bool = False, script: bool = True) -> Page:
        page = sign_in(user, open_page(phone=phone, script=script))
        page.goto(f"/ops/{path}")
        return page

    return go
