"""Placing, listing, reading and cancelling orders."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.models import Order
from orders.services.assembly import advance_line, ship_order
from orders.services.jobs import accept_job, offer_job
from orders.services.stock import receive_stock
from tests.api.conftest import Api, World, order_body
from tests.builders import SYSTEM, build_day
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db


def errors(response) -> list[str]:
    return [row["field"] for row in response.json()["error"]["details"]]


def test_a_placed_order_comes_back_in_full(world: World, api: Api) -> None:
    with tenant_scope(world.tenant):
        receive_stock(
            component=world.network.chain, quantity=800, reason="test", actor=SYSTEM
        )
    address = {"name": "DC 12", "line1": "1 Dock Rd", "city": "Reno", "country": "US"}
    response = api.place(
        po_number="NRD-4500123",
        lines=[{"sku": "HPN-01", "quantity": 1200}],
        ship_to=address,
        note="Two cartons\nplease",
    )
    assert response.status_code == 201
    made = response.json()
    assert response["Location"] == f"/api/v1/orders/{made['id']}"
    assert made["po_number"] == "NRD-4500123"
    assert made["state"] == "placed"
    assert made["total"] == {"amount": "36000.00", "currency": "USD"}
    assert made["promised_on"] == made["ship_by"] == build_day(28).isoformat()
    assert made["ship_to"] == {**address, "line2": "", "region": "", "postal_code": ""}
    assert made["lines"] == [
        {
            "number": 1,
            "sku": "HPN-01",
            "name": "Horn Pendant Necklace",
            "quantity": 1200,
            "unit_price": {"amount": "30.00", "currency": "USD"},
            "amount": {"amount": "36000.00", "currency": "USD"},
            "stage": "waiting",
            "accepted": 0,
            "good": 0,
        }
    ]
    assert made["shortages"] == [
        {
            "line": 1,
            "part": "CH-50",
            "name": "Chain 50 cm",
            "needed": 1200,
            "reserved": 800,
            "short": 400,
        }
    ]
    assert [row["event"] for row in made["timeline"]] == ["order.placed"]
    assert made["placed_at"].endswith("Z")
    assert made["shipment"] is None
    assert api.get(f"/api/v1/orders/{made['id']}").json() == made


def test_an_unknown_field_does_not_hide_other_mistakes(api: Api) -> None:
    answer = api.place(po_numbr="X", ship_by="soon", po_number="")
    assert answer.status_code == 422
    fields = {row["field"] for row in answer.json()["error"]["details"]}
    assert {"po_numbr", "ship_by", "po_number"} <= fields


def test_progress_follows_the_scarcest_part(world: World, api: Api) -> None:
    made = api.place().json()
    path = f"/api/v1/orders/{made['id']}"
    with tenant_scope(world.tenant):
        order = Order.objects.get(public_id=made["id"])
        works = order.lines.get().work_orders
        for component, shop, count in (
            (world.network.pendant, world.network.horn[0], 60),
            (world.network.hook, world.network.brass[0], 40),
        ):
            work = works.get(component=component)
            job = offer_job(
                work_order=work, workshop=shop, quantity=count, actor=SYSTEM
            )
            accept_job(job=job, actor=SYSTEM)
    seen = api.get(path).json()
    assert seen["state"] == "in_production"
    assert seen["lines"][0]["accepted"] == 40
    assert seen["lines"][0]["good"] == 0
    assert [row["event"] for row in seen["timeline"]] == [
        "order.placed",
        "order.in_production",
    ]
    assert "W-0" not in api.get(path).content.decode()
    assert "Wanjiku" not in api.get(path).content.decode()


def test_late_work_moves_the_promise(world: World, api: Api) -> None:
    made = api.place(ship_by=build_day(2).isoformat()).json()
    days = world.tenant.assembly_days
    assert made["promised_on"] == build_day(days).isoformat()
    with tenant_scope(world.tenant):
        order = Order.objects.get(public_id=made["id"])
        offer_job(
            work_order=order.lines.get().work_orders.get(component=world.network.hook),
            workshop=world.network.brass[0],
            quantity=100,
            actor=SYSTEM,
            due_on=build_day(10),
        )
    seen = api.get(f"/api/v1/orders/{made['id']}").json()
    assert seen["promised_on"] == build_day(10 + days).isoformat()


def test_a_shipped_order_shows_its_shipment(world: World, api: Api) -> None:
    with tenant_scope(world.tenant):
        # Only bought-in parts: ready as soon as they are in stock.
        world.network.product.bom.exclude(component=world.network.chain).delete()
        receive_stock(
            component=world.network.chain, quantity=100, reason="test", actor=SYSTEM
        )
    made = api.place().json()
    assert made["state"] == "ready"
    with tenant_scope(world.tenant):
        order = Order.objects.get(public_id=made["id"])
        for stage in ("assembled", "finished", "packed"):
            advance_line(line=order.lines.get(), stage=stage, actor=SYSTEM)
        ship_order(order=order, carrier="DHL", tracking="X1", cartons=2, actor=SYSTEM)
    seen = api.get(f"/api/v1/orders/{made['id']}").json()
    assert seen["state"] == "shipped"
    assert seen["promised_on"] == timezone.localdate().isoformat()
    shipment = seen["shipment"]
    assert [shipment[name] for name in ("carrier", "tracking", "cartons")] == [
        "DHL",
        "X1",
        2,
    ]
    assert [(row["event"], row["line"], row["stage"]) for row in seen["timeline"]] == [
        ("order.placed", None, None),
        ("line.parts_in", 1, None),
        ("order.ready", None, None),
        ("line.advanced", 1, "assembled"),
        ("line.advanced", 1, "finished"),
        ("line.advanced", 1, "packed"),
        ("order.shipped", None, None),
    ]


def test_a_po_number_is_used_once_per_buyer(world: World, api: Api) -> None:
    first = api.place(po_number="PO-X").json()
    before = world.counts()
    again = api.place(po_number="PO-X", lines=[{"sku": "HPN-01", "quantity": 9}])
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "duplicate_po"
    assert first["id"] in again.json()["error"]["message"]
    assert world.counts() == before
    assert world.rival.place(po_number="PO-X").status_code == 201


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"lines": [{"sku": "NO-1", "quantity": 1}]}, ["lines[0].sku"]),
        ({"lines": [{"sku": "HPN-01", "quantity": 0}]}, ["lines[0].quantity"]),
        ({"lines": [{"sku": "HPN-01", "quantity": -5}]}, ["lines[0].quantity"]),
        ({"lines": [{"sku": "HPN-01", "quantity": 1_000_001}]}, ["lines[0].quantity"]),
        ({"lines": [{"sku": "HPN-01", "quantity": 10**400}]}, ["lines[0].quantity"]),
        ({"lines": [{"sku": "HPN-01", "quantity": 12.0}]}, ["lines[0].quantity"]),
        ({"lines": [{"sku": "HPN-01", "quantity": "12"}]}, ["lines[0].quantity"]),
        ({"lines": [{"sku": "HPN-01", "quantity": True}]}, ["lines[0].quantity"]),
        ({"lines": [{"sku": "HPN-01", "quantity": None}]}, ["lines[0].quantity"]),
        ({"lines": [{"sku": "HPN-01"}]}, ["lines[0].quantity"]),
        ({"lines": [{"sku": "HPN-01", "quantity": 1, "x": 1}]}, ["lines[0].x"]),
        ({"lines": [{"sku": 7, "quantity": 1}]}, ["lines[0].sku"]),
        ({"lines": [{"sku": "H\x00", "quantity": 1}]}, ["lines[0].sku"]),
        ({"lines": [{"sku": "H" * 31, "quantity": 1}]}, ["lines[0].sku"]),
        (
            {
                "lines": [
                    {"sku": "HPN-01", "quantity": 60},
                    {"sku": "HPN-01", "quantity": 60},
                ]
            },
            ["lines[1].sku"],
        ),
        ({"lines": []}, ["lines"]),
        ({"lines": [{"sku": "HPN-01", "quantity": 1}] * 201}, ["lines"]),
        ({"lines": "HPN-01"}, ["lines"]),
        ({"lines": ["HPN-01"]}, ["lines[0]"]),
        (
            {
                "channel": "white_label",
                "lines": [{"sku": "HPN-01", "quantity": 20}],
            },
            ["lines[0].quantity"],
        ),
        ({"channel": "moon"}, ["channel"]),
        ({"channel": ["web"]}, ["channel"]),
        ({"ship_by": build_day(-2).isoformat()}, ["ship_by"]),
        ({"ship_by": "9999-12-31"}, ["ship_by"]),
        ({"ship_by": "0001-01-01"}, ["ship_by"]),
        ({"ship_by": "soon"}, ["ship_by"]),
        ({"ship_by": 20270329}, ["ship_by"]),
        ({"po_number": ""}, ["po_number"]),
        ({"po_number": "   "}, ["po_number"]),
        ({"po_number": "P" * 41}, ["po_number"]),
        ({"po_number": "a\x00b"}, ["po_number"]),
        ({"po_number": "a\nb"}, ["po_number"]),
        ({"po_number": "\ud800"}, ["po_number"]),
        ({"po_number": 4500123}, ["po_number"]),
        ({"note": "\x00"}, ["note"]),
        ({"note": "n" * 2001}, ["note"]),
        ({"ship_to": "Reno"}, ["ship_to"]),
        ({"ship_to": {"city": "\x00"}}, None),
        ({"total": 1}, ["total"]),
        ({"\ud800": 1}, ["?"]),
    ],
)
def test_bad_input_names_the_field_and_changes_nothing(
    world: World, api: Api, changes: dict, fields: list[str] | None
) -> None:
    before = world.counts()
    response = api.place(order_body(**changes))
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "invalid"
    if fields is not None:
        assert errors(response) == fields
    assert world.counts() == before


def test_a_retired_product_is_refused(world: World, api: Api) -> None:
    world.network.product.retired_on = timezone.localdate()
    with tenant_scope(world.tenant):
        world.network.product.save()
    response = api.place()
    assert response.status_code == 422
    assert errors(response) == ["lines[0].sku"]


def test_white_label_takes_the_minimum(api: Api) -> None:
    lines = [{"sku": "HPN-01", "quantity": 50}]
    assert api.place(channel="white_label", lines=lines).status_code == 201


def test_totals_beyond_32_bits_are_right(world: World, api: Api) -> None:
    with tenant_scope(world.tenant):
        world.network.product.price_minor = 900_000
        world.network.product.save()
    lines = [{"sku": "HPN-01", "quantity": 1_000_000}]
    made = api.place(lines=lines).json()
    assert made["total"]["amount"] == "9000000000.00"
    (row,) = api.get("/api/v1/orders").json()["results"]
    assert row["total"] == made["total"]


def test_pages_follow_the_cursor_while_orders_come_in(api: Api) -> None:
    ids = [api.place().json()["id"] for _ in range(5)]
    first = api.get("/api/v1/orders?page_size=2").json()
    api.place()
    second = api.get(first["next"]).json()
    third = api.get(second["next"]).json()
    pages = [row["id"] for page in (first, second, third) for row in page["results"]]
    assert pages == ids[::-1]
    assert third["next"] is None
    assert third["next_cursor"] is None


def test_filters(world: World, api: Api) -> None:
    first = api.place(po_number="A+B 1").json()
    second = api.place().json()
    api.post(f"/api/v1/orders/{second['id']}/cancel", {})
    later = (timezone.now() + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    moment = api.get(f"/api/v1/orders/{second['id']}").json()["updated_at"]

    def ids(query: str) -> list[str]:
        answer = api.get(f"/api/v1/orders?{query}")
        assert answer.status_code == 200
        return [row["id"] for row in answer.json()["results"]]

    assert ids("state=cancelled") == [second["id"]]
    assert ids("po_number=A%2BB%201") == [first["id"]]
    assert ids(f"placed_since={first['placed_at']}") == [second["id"], first["id"]]
    assert ids(f"updated_since={moment}") == [second["id"]]
    assert ids(f"placed_since={later}") == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("state=lost", 422),
        ("page_size=0", 422),
        ("page_size=101", 422),
        ("page_size=x", 422),
        ("placed_since=yesterday", 422),
        ("placed_since=0001-01-01T00:00:00%2B14:00", 422),
        ("po_number=%00", 422),
        ("cursor=%00", 422),
        ("cursor=x", 400),
        ("cursor=W10", 400),
        ("cursor=WyJ4IiwxXQ", 400),
        ("cursor=WyIyMDI3LTAzLTAxIiwxXQ", 400),
        ("cursor=e30", 400),
        ("cursor=" + "W1s" * 150, 400),
    ],
)
def test_a_bad_query_is_an_error(api: Api, query: str, status: int) -> None:
    assert api.get(f"/api/v1/orders?{query}").status_code == status


def test_cancelling_twice_is_one_cancellation(world: World, api: Api) -> None:
    made = api.place().json()
    path = f"/api/v1/orders/{made['id']}/cancel"
    first = api.post(path, {"reason": "Season moved."})
    assert first.status_code == 200
    assert first.json()["state"] == "cancelled"
    assert first.json()["promised_on"] is None
    before = world.counts()
    assert api.send("post", path, "", type="text/plain").status_code == 200
    assert world.counts() == before


def test_work_that_was_offered_cannot_be_cancelled(world: World, api: Api) -> None:
    made = api.place().json()
    with tenant_scope(world.tenant):
        order = Order.objects.get(public_id=made["id"])
        offer_job(
            work_order=order.lines.get().work_orders.first(),
            workshop=world.network.brass[0],
            quantity=100,
            actor=SYSTEM,
        )
    response = api.post(f"/api/v1/orders/{made['id']}/cancel", {})
    assert response.status_code == 409
    assert response.json()["error"]["code"] == "illegal_move"


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_of_a_list_do_not_grow(
    api: Api, rows: int, django_assert_num_queries
) -> None:
    for _ in range(rows):
        api.place()
    with django_assert_num_queries(3):  # tenant, key, orders
        assert len(api.get("/api/v1/orders").json()["results"]) == rows


def _products(world: World, count: int) -> list[str]:
    """SKUs of as many products with the same bill of materials."""
    product = world.network.product
    skus = ["HPN-01"]
    with tenant_scope(world.tenant):
        for number in range(1, count):
            bom = list(product.bom.all())
            skus.append(f"HPN-X{number}")
            product.pk, product.sku = None, skus[-1]
            product.save()
            for row in bom:
                row.pk, row.product = None, product
                row.save()
    return skus


@pytest.mark.parametrize("lines", [1, 3])
def test_queries_of_placing_do_not_grow_with_the_lines(
    world: World, api: Api, lines: int, django_assert_num_queries
) -> None:
    skus = _products(world, lines)
    api.get("/api/v1/products")  # notes the key's use, which is written once a minute
    # tenant, key, Idempotency-Key; two savepoints (4); products, number, order in its own
    # (3); lines, bills, work orders, needs; parts reserved in a savepoint (5); event,
    # webhooks; the six reads of the answer; the answer kept
    with django_assert_num_queries(30):
        made = api.place(lines=[{"sku": sku, "quantity": 5} for sku in skus])
    assert len(made.json()["lines"]) == lines


@pytest.mark.parametrize("lines", [1, 3])
def test_queries_of_an_order_do_not_grow_with_its_lines(
    world: World, api: Api, lines: int, django_assert_num_queries
) -> None:
    skus = _products(world, lines)
    made = api.place(lines=[{"sku": sku, "quantity": 5} for sku in skus]).json()
    assert len(made["lines"]) == lines
    # tenant, key, order, lines, work orders, needs, shipments, timeline
    with django_assert_num_queries(8):
        api.get(f"/api/v1/orders/{made['id']}")
