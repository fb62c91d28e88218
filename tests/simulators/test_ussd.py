"""The carrier's side of USSD."""

import json

import pytest

from simulators.ussd import BROKEN, judge
from tests.simulators.product import Product
from tests.standin import StandIn, until

PHONE, CODE = "+254712345678", "*384*55#"


def test_a_dial_sends_the_five_fields(standin: StandIn, product: Product) -> None:
    shown = standin.ussd(PHONE, CODE)
    assert shown["reply"].startswith("CON Karibu W-017\n1 ")
    assert shown["latency"] > 0
    assert shown["session"].startswith("ATUid_")
    assert product.at("/ussd") == [
        {
            "sessionId": shown["session"],
            "phoneNumber": PHONE,
            "networkCode": "63902",
            "serviceCode": CODE,
            "text": "",
        }
    ]


def test_answers_are_joined_and_a_star_is_kept(
    standin: StandIn, product: Product
) -> None:
    session = standin.ussd(PHONE, CODE)["session"]
    assert standin.answer(session, PHONE, "1")["open"]
    product.ussd = lambda form: (200, f"CON {form['text']}")
    assert standin.answer(session, PHONE, "1*2")["reply"] == "CON 1*1*2"
    product.ussd = lambda form: (200, f"END {form['text']}")
    assert standin.answer(session, PHONE, "3")["reply"] == "END 1*1*2*3"
    over = standin.answer(session, PHONE, "4")
    assert (over["reply"], over["problem"]) == (
        BROKEN,
        "the session is over; dial again",
    )
    assert len(product.at("/ussd")) == 4


def test_text_is_sent_as_given_so_a_repeat_can_be_tested(
    standin: StandIn, product: Product
) -> None:
    session = standin.ussd(PHONE, CODE, session="ATUid_mine")["session"]
    assert session == "ATUid_mine"
    for text in ("1", "1*1", "1*1", "1"):
        standin.ussd(PHONE, CODE, text, session)
    sent = [form["text"] for form in product.at("/ussd")]
    assert sent == ["", "1", "1*1", "1*1", "1"]
    assert {form["sessionId"] for form in product.at("/ussd")} == {session}


def test_a_deep_dial_carries_answers(standin: StandIn, product: Product) -> None:
    shown = standin.post("/_ussd", {"phone": PHONE, "code": "*384*55*1*1#"})
    assert shown["reply"].startswith("END Asante")
    assert product.at("/ussd")[0]["serviceCode"] == CODE


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "CON x"),
        (201, "CON x"),
        (302, "CON x"),
        (200, ""),
        (200, "con x"),
        (200, " CON x"),
        (200, "\ufeffCON x"),
        (200, "CON"),
        (200, "Continue"),
    ],
)
def test_anything_else_is_a_connection_problem(
    standin: StandIn, product: Product, status: int, body: str
) -> None:
    product.ussd = lambda form: (status, body)
    shown = standin.ussd(PHONE, CODE)
    assert (shown["reply"], shown["open"]) == (BROKEN, False)


def test_long_text_is_cut_and_odd_characters_are_not_drawn() -> None:
    shown = judge(200, "END " + "x" * 200)
    assert shown["reply"] == "END " + "x" * 182
    assert shown["problem"] == "cut at 182 characters"
    assert judge(200, "END ng\u2019ombe \U0001f600")["screen"] == "ng?ombe ?"


def test_no_product_and_no_code(standin: StandIn) -> None:
    standin.register("gone", ussd_url="http://127.0.0.1:9/ussd", ussd_code="*1#")
    assert standin.ussd(PHONE, "*1#")["reply"] == BROKEN
    unknown = standin.ussd(PHONE, "*999#")
    assert (unknown["reply"], unknown["session"]) == (BROKEN, "")


def test_faults(standin: StandIn, product: Product) -> None:
    standin.faults({"ussd": [{"do": "repeat", "times": 1}]})
    assert standin.ussd(PHONE, CODE)["open"]
    assert len(product.at("/ussd")) == 2
    standin.faults({"ussd": [{"do": "lost", "times": 1}]})
    assert standin.ussd(PHONE, CODE)["reply"] == BROKEN
    assert len(product.at("/ussd")) == 3


def test_tenants_come_from_demo_json(standin: StandIn, product: Product) -> None:
    file = standin.data / "demo.json"
    tenant = {"slug": "demo", "ussd_code": "*7#", "ussd_url": product.url + "/ussd"}
    try:
        assert standin.ussd(PHONE, "*7#")["reply"] == BROKEN
        file.write_text('{"tenants": [')  # caught while it is being written
        assert standin.ussd(PHONE, "*7#")["reply"] == BROKEN
        file.write_text(json.dumps({"tenants": [tenant]}))
        assert until(lambda: standin.ussd(PHONE, "*7#")["open"])
    finally:
        file.unlink()
    assert standin.ussd(PHONE, "*7#")["reply"] == BROKEN
