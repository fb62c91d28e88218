"""The phone on screen: its page, its policy, and a journey in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import sync_playwright

from tests.simulators.product import Product
from tests.simulators.test_carrier import PHONE, send
from tests.standin import StandIn

CHROMIUM = Path("/usr/bin/chromium")


def test_page_allows_only_its_own_files(standin: StandIn) -> None:
    answer = requests.get(standin.url + "/", timeout=5)
    assert answer.url.endswith("/handset/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert "http" not in answer.text.replace("http://www.w3.org/2000/svg", "")
    for name in (
        "handset.css",
        "phone.css",
        "handset.js",
        "screen.js",
        "keys.js",
        "icon.svg",
    ):
        file = requests.get(f"{standin.url}/handset/{name}", timeout=5)
        assert file.ok
        assert file.headers["X-Content-Type-Options"] == "nosniff"
    for name in ("nothing.js", "..%2fhub.py", "index.html%00"):
        assert (
            requests.get(f"{standin.url}/handset/{name}", timeout=5).status_code == 404
        )


def test_the_list_of_tenants_holds_no_secret(
    standin: StandIn, product: Product
) -> None:
    shop = {"code": "W-1", "phone": PHONE, "language": "sw", "pin": "1234"}
    standin.register("soko", api_key="secret", ussd_code="*1#", workshops=[shop])
    del shop["pin"]
    assert standin.get("/handset/tenants.json")["tenants"] == [
        {"slug": "soko", "ussd_code": "*1#", "workshops": [shop]}
    ]


@pytest.fixture
def page(standin: StandIn, product: Product) -> Iterator[Any]:
    """Open the page with 125 workshops of the tenant ``soko``."""
    shops = [
        {"code": f"W-{n:03}", "phone": f"+2547120{n:05}", "language": "sw"}
        for n in range(1, 126)
    ]
    tenant = {
        "slug": "soko",
        "ussd_code": "*384*55#",
        "ussd_url": product.url + "/ussd",
        "sms_inbound_url": product.url + "/in",
        "workshops": shops,
    }
    standin.reset()
    problems: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox"]
        )
        opened = browser.new_page(viewport={"width": 1280, "height": 860})
        opened.set_default_timeout(10_000)
        opened.on("console", lambda line: problems.append(line.text))
        opened.on("pageerror", lambda error: problems.append(str(error)))
        opened.goto(standin.url + "/handset/")
        opened.wait_for_selector("text=No workshops yet.")
        demo = standin.data / "demo.json"
        demo.write_text(json.dumps({"tenants": [tenant]}))
        yield opened
        demo.unlink()
        browser.close()
    assert problems == []


@pytest.mark.browser
def test_a_working_day_on_the_phone(
    standin: StandIn, product: Product, page: Any
) -> None:
    page.wait_for_selector("text=(125)")
    page.fill("#filter", "017")
    page.check("label:has-text('W-017') input")
    send(standin, to="+254712000017", message="Kazi 8841. Piga *384*55#")
    page.wait_for_selector("#unread-mark:not([hidden])")
    # Read and answer the SMS with the keypad: h-a, multi-tap.
    page.click("#soft-left")
    page.click("#soft-left")
    page.wait_for_selector(".talk:has-text('Kazi 8841')")
    assert page.is_hidden("#unread-mark")
    page.click("#soft-left")
    for key in ("4", "4", "2"):
        page.click(f"[data-key='{key}']")
    page.click("[data-key='green']")
    page.wait_for_selector("text=To SOKO")
    assert [form["text"] for form in product.at("/in")] == ["ha"]
    # Dial with the keyboard, accept the job with both kinds of keys.
    page.keyboard.press("Escape")
    page.click("h1")
    page.keyboard.type("*384*55#")
    page.keyboard.press("Enter")
    page.wait_for_selector(".talk:has-text('Karibu W-017')")
    page.click("[data-key='1']")
    page.click("#soft-left")
    page.wait_for_selector(".talk:has-text('8841')")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    page.wait_for_selector(".talk:has-text('Asante')")
    assert [form["text"] for form in product.at("/ussd")] == ["", "1", "1*1"]
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
