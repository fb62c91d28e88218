"""The catalogue and its ETags."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.models import Product
from tests.api.conftest import Api, World
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
PRODUCTS = "/api/v1/products"


def add(world: World, *skus: str, **facts) -> None:
    with tenant_scope(world.tenant):
        for sku in skus:
            Product.objects.create(
                tenant=world.tenant, sku=sku, name=sku, price_minor=1, **facts
            )


def skus(api: Api, query: str = "") -> list[str]:
    return [row["sku"] for row in api.get(PRODUCTS + query).json()["results"]]


def test_a_product_in_full(api: Api) -> None:
    assert api.get(f"{PRODUCTS}/HPN-01").json() == {
        "sku": "HPN-01",
        "name": "Horn Pendant Necklace",
        "family": "",
        "collection": "",
        "price": {"amount": "30.00", "currency": "USD"},
        "lead_days": 28,
        "retired_on": None,
    }


def test_retired_products_are_listed_on_request(world: World, api: Api) -> None:
    today = timezone.localdate()
    add(world, "OLD", retired_on=today)
    add(world, "SOON", retired_on=today + timedelta(days=2))
    assert skus(api) == ["HPN-01", "SOON"]
    assert skus(api, "?retired=true") == ["HPN-01", "OLD", "SOON"]
    assert api.get(f"{PRODUCTS}/OLD").status_code == 200
    assert api.get(f"{PRODUCTS}?retired=perhaps").status_code == 422


def test_pages(world: World, api: Api) -> None:
    add(world, "A-1", "Z 9/É")
    first = api.get(f"{PRODUCTS}?page_size=2").json()
    second = api.get(first["next"]).json()
    pages = [row["sku"] for page in (first, second) for row in page["results"]]
    assert pages == ["A-1", "HPN-01", "Z 9/É"]
    assert api.get(f"{PRODUCTS}/Z%209%2F%C3%89").json()["sku"] == "Z 9/É"
    assert api.get(f"{PRODUCTS}?cursor=WyJcdTAwMDAiXQ").status_code == 400


@pytest.mark.parametrize("path", [PRODUCTS, f"{PRODUCTS}/HPN-01"])
def test_an_unchanged_answer_is_a_304(world: World, api: Api, path: str) -> None:
    first = api.get(path)
    again = api.get(path, If_None_Match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    with tenant_scope(world.tenant):
        Product.objects.update(price_minor=3_100)
    changed = api.get(path, If_None_Match=first["ETag"])
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


@pytest.mark.parametrize("sku", ["NO-1", "%00", "x" * 400, "%ED%A0%80"])
def test_an_unknown_product_is_not_there(api: Api, sku: str) -> None:
    assert api.get(f"{PRODUCTS}/{sku}").status_code == 404


def test_another_tenants_catalogue_is_not_seen(world: World) -> None:
    add(world, "OURS")
    assert skus(world.api) == ["HPN-01", "OURS"]
    assert skus(world.stranger) == ["HPN-01"]
    assert world.stranger.get(f"{PRODUCTS}/OURS").status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_do_not_grow(
    world: World, api: Api, rows: int, django_assert_num_queries
) -> None:
    add(world, *[f"P-{number}" for number in range(rows - 1)])
    api.get(PRODUCTS)
    with django_assert_num_queries(3):  # tenant, key, products
        assert len(skus(api)) == rows
