"""Delivery reports and inbound SMS, as the product receives them."""

import re
from urllib.parse import parse_qs

import pytest

from tests.simulators.product import Product
from tests.simulators.test_carrier import PHONE, recipient, send
from tests.standin import StandIn, until


def test_reports_are_sent_then_success(standin: StandIn, product: Product) -> None:
    message_id = recipient(send(standin))["messageId"]
    until(lambda: len(product.at("/dlr")) == 2)
    common = {"id": message_id, "phoneNumber": PHONE, "networkCode": "63902"}
    assert product.at("/dlr") == [
        {**common, "status": "Sent"},
        {**common, "status": "Success"},
    ]
    assert product.raw[0][0] == "application/x-www-form-urlencoded"
    assert "phoneNumber=%2B254712345678" in product.raw[0][1]


@pytest.mark.parametrize(
    ("rule", "statuses"),
    [
        ({"do": "report_reversed"}, ["Success", "Sent"]),
        ({"do": "report_repeated"}, ["Sent"] * 3 + ["Success"] * 3),
        ({"do": "report_buffered"}, ["Sent", "Buffered", "Success"]),
        ({"do": "report_final", "status": "Expired"}, ["Sent", "Expired"]),
        ({"do": "report_stranger"}, ["Success", "Sent", "Success"]),
    ],
)
def test_reports_misbehave(
    standin: StandIn, product: Product, rule: dict[str, str], statuses: list[str]
) -> None:
    standin.faults({"sms": rule})
    send(standin)
    until(lambda: len(product.at("/dlr")) == len(statuses))
    until(lambda: standin.state()["reports_waiting"] == 0)
    assert [report["status"] for report in product.at("/dlr")] == statuses


def test_reports_before_the_answer(standin: StandIn, product: Product) -> None:
    standin.faults({"sms": {"do": "report_early"}})
    message_id = recipient(send(standin))["messageId"]
    assert [r["id"] for r in product.at("/dlr")] == [message_id] * 2


def test_reports_late_and_none(standin: StandIn, product: Product) -> None:
    send(standin, to="+254799900011")
    assert standin.state()["reports_waiting"] == 0
    standin.faults({"sms": {"do": "report_late", "seconds": 0.6}})
    send(standin)
    until(lambda: standin.state()["reports_waiting"] == 2)
    assert product.at("/dlr") == []
    until(lambda: len(product.at("/dlr")) == 2)


def test_a_failure_tells_its_reason(standin: StandIn, product: Product) -> None:
    send(standin, to="+254799900022")
    until(lambda: len(product.at("/dlr")) == 2)
    sent, rejected = product.at("/dlr")
    assert "failureReason" not in sent
    assert rejected["status"] == "Rejected"
    assert rejected["failureReason"] == "UserInBlackList"


def test_inbound_is_repeated_until_200(standin: StandIn, product: Product) -> None:
    product.status["/in"] = [500, 404, 200]
    standin.reply(PHONE, "soko", "NDIO 8841")
    until(lambda: standin.state()["inbound_waiting"] == 0)
    first, *others = product.at("/in")
    assert len(others) == 2
    assert all(other == first for other in others)
    assert (first["from"], first["to"], first["text"]) == (PHONE, "soko", "NDIO 8841")


def test_inbound_fields_dates_and_link_ids(standin: StandIn, product: Product) -> None:
    for text in ("one", "", "habari yako"):
        standin.reply(PHONE, "soko", text, username="soko")
    forms = until(lambda: len(product.at("/in")) == 3 and product.at("/in"))
    required = {"date", "from", "id", "text", "to", "networkCode", "cost"}
    assert all(required <= set(form) <= required | {"linkId"} for form in forms)
    assert len({form["id"] for form in forms}) == 3
    assert {"linkId" in form for form in forms} == {True, False}
    dates = [re.sub(r"\d", "0", form["date"]) for form in forms]
    assert set(dates) == {"0000-00-00T00:00:00Z", "0000-00-00 00:00:00"}
    empty = next(body for _, body in product.raw if "text=&" in body)
    assert parse_qs(empty, keep_blank_values=True)["text"] == [""]


def test_inbound_twice_keeps_its_id(standin: StandIn, product: Product) -> None:
    standin.faults({"sms": {"do": "inbound_twice", "times": 1}})
    standin.reply(PHONE, "soko", "NDIO")
    until(lambda: len(product.at("/in")) == 2)
    assert len({form["id"] for form in product.at("/in")}) == 1


def test_reply_goes_to_whoever_wrote_last(standin: StandIn, product: Product) -> None:
    standin.register("addis", sms_inbound_url=product.url + "/addis")
    send(standin, username="addis", **{"from": "CRAFT"})
    standin.reply(PHONE, "CRAFT", "sawa")
    until(lambda: len(product.at("/addis")) == 1)
    assert product.at("/in") == []


def test_reply_to_nobody_is_refused(standin: StandIn) -> None:
    with pytest.raises(Exception, match="nobody here receives SMS at 12345"):
        standin.reply(PHONE, "12345", "x")
