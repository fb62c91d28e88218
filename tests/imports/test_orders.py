"""Orders from a spreadsheet."""

import pytest

from orders.models import Order
from tests.builders import SYSTEM, Network, build_day
from vrp.imports.services import Outcome, load_content, preview

pytestmark = pytest.mark.django_db


def sheet(*rows: str) -> bytes:
    head = "buyer,po_number,ship_by,sku,quantity,channel"
    day = build_day(40).isoformat()
    return "\n".join([head, *rows]).replace("{day}", day).encode()


def load(network: Network, content: bytes) -> Outcome:
    return load_content(
        tenant=network.tenant, kind="orders", content=content, actor=SYSTEM
    )


TWO = ("NRD,PO-1,{day},HPN-01,120,", "NRD,PO-2,{day},HPN-01,60,white_label")


def test_the_preview_is_the_load_and_the_same_file_changes_nothing(
    network: Network,
) -> None:
    seen = preview(
        tenant=network.tenant, kind="orders", content=sheet(*TWO), actor=SYSTEM
    )
    assert Order.objects.count() == 0
    done = load(network, sheet(*TWO))
    assert seen.summary() == done.summary()
    assert done.created == 2
    order = Order.objects.get(po_number="PO-2")
    assert order.channel == "white_label"
    assert order.lines.get().work_orders.count() == 2
    again = load(network, sheet(*TWO))
    assert (again.created, again.unchanged) == (0, 2)
    assert Order.objects.count() == 2


@pytest.mark.parametrize(
    ("rows", "line", "column"),
    [
        (("XXX,PO-9,{day},HPN-01,5,",), 4, "buyer"),
        (("NRD,,{day},HPN-01,5,",), 4, "po_number"),
        (("NRD,PO-9,{day},NOPE,5,",), 4, "sku"),
        (("NRD,PO-9,{day},HPN-01,0,",), 4, "quantity"),
        (("NRD,PO-9,{day},HPN-01,5.5,",), 4, "quantity"),
        (("NRD,PO-9,{day},HPN-01,5,", "NRD,PO-9,{day},HPN-01,no,"), 5, "quantity"),
        (("NRD,PO-9,{day},HPN-01,5,", "NRD,PO-9,{day},HPN-01,5,"), 5, "sku"),
        (("NRD,PO-9,{day},HPN-01,5,", "NRD,PO-9,{day},HPN-02,5,web"), 5, "channel"),
        (("NRD,PO-9,2020-01-01,HPN-01,5,",), 4, "ship_by"),
        (("NRD,PO-9,soon,HPN-01,5,",), 4, "ship_by"),
        (("NRD,PO-9,{day},HPN-01,5,pigeon",), 4, "channel"),
        (("NRD,PO-9,{day},HPN-01,20,white_label",), 4, "quantity"),
        ((f"NRD,{'9' * 41},{{day}},HPN-01,20,",), 4, "po_number"),
    ],
)
def test_one_bad_order_keeps_the_whole_file_out(
    network: Network, rows: tuple[str, ...], line: int, column: str
) -> None:
    done = load(network, sheet(*TWO, *rows))
    assert (line, column) in [(e["line"], e["column"]) for e in done.errors]
    assert {e["line"] for e in done.errors} == {line}
    assert Order.objects.count() == 0


def test_all_mistakes_of_an_order_are_told_in_one_go(network: Network) -> None:
    done = load(
        network,
        sheet(
            "XXX,PO-9,soon,NOPE,-5,pigeon",
            "NRD,PO-8,2020-01-01,HPN-01,no,",
            "NRD,PO-8,2020-01-01,NOPE,5,",
        ),
    )
    found = {(error["line"], error["column"]) for error in done.errors}
    assert found == {
        *((2, name) for name in ("buyer", "ship_by", "sku", "quantity", "channel")),
        (3, "ship_by"),
        (3, "quantity"),
        (4, "sku"),
    }
    assert len(done.errors) == len(found)


def test_a_channel_is_read_in_any_case(network: Network) -> None:
    content = sheet(
        "NRD,PO-1,{day},HPN-01,120,White_Label",
        "NRD,PO-1,{day},HPN-02,120,white_label",
    )
    assert [e for e in load(network, content).errors if e["column"] == "channel"] == []


def test_a_file_that_was_loaded_may_come_again_after_its_day(network: Network) -> None:
    load(network, sheet(*TWO))
    past = build_day(-3)
    Order.objects.update(ship_by=past)
    again = load(network, sheet(*TWO).replace(build_day(40).isoformat().encode(),
                                              past.isoformat().encode()))  # fmt: skip
    assert (again.errors, again.unchanged) == ([], 2)


def test_a_po_number_with_other_lines_is_refused(network: Network) -> None:
    load(network, sheet(*TWO))
    done = load(network, sheet("NRD,PO-1,{day},HPN-01,121,"))
    assert [error["column"] for error in done.errors] == ["po_number"]
    assert Order.objects.get(po_number="PO-1").lines.get().quantity == 120
