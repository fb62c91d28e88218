"""Everything that is not a good request: one error shape, nothing changed, never 500."""

import gzip
import json
import uuid
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orders.api import urls
from orders.models import ApiKey
from tests.api.conftest import Api, World, build_world, order_body
from vrp.api.parsers import MAX_BYTES
from vrp.rates import Rate
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/orders"


def code_of(response: Any) -> str:
    body = response.json()
    assert set(body) == {"error"}
    error = body["error"]
    assert set(error) == {"code", "message", "details", "request_id"}
    assert error["request_id"] == response["X-Request-Id"]
    return error["code"]


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed"),
        (b"\xff\xfe{\x00}\x00", "application/json", 400, "malformed"),
        (b'{"po_number": "\xe9"}', "application/json", 400, "malformed"),
        (b'{"a": NaN}', "application/json", 400, "malformed"),
        (b'{"a": 1, "a": 2}', "application/json", 400, "malformed"),
        (b'{"a": ' + b"9" * 5000 + b"}", "application/json", 400, "malformed"),
        (b"[" * 100_000, "application/json", 400, "malformed"),
        (b"[" * 20 + b"]" * 20, "application/json", 400, "malformed"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"<a/>", "application/xml", 415, "unsupported_media_type"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
        (b"x" * (MAX_BYTES + 1), "application/json", 413, "too_large"),
        (b"x" * (3 * 1024 * 1024), "application/json", 413, "too_large"),
        (b"", "application/json", 422, "invalid"),
        (b"[]", "application/json", 422, "invalid"),
        (b"null", "application/json", 422, "invalid"),
        (b'"text"', "application/json", 422, "invalid"),
        (b"1e400", "application/json", 422, "invalid"),
    ],
)
def test_a_body_that_is_no_order(
    world: World, api: Api, data: bytes, content_type: str, status: int, code: str
) -> None:
    before = world.counts()
    response = api.send("post", ORDERS, data, content_type, Idempotency_Key="k1")
    assert (response.status_code, code_of(response)) == (status, code)
    assert world.counts() == before


def test_a_chunked_body_is_not_taken_for_an_empty_one(world: World, api: Api) -> None:
    response = api.send("post", ORDERS, "", Transfer_Encoding="chunked")
    assert (response.status_code, code_of(response)) == (400, "malformed")


def test_answers_are_kept_out_of_shared_caches(api: Api) -> None:
    assert api.place()["Cache-Control"] == "no-store"
    assert api.get(ORDERS)["Cache-Control"] == "no-store"
    assert api.get("/api/v1/products")["Cache-Control"] == "private, no-cache"


def test_a_byte_order_mark_is_no_harm(api: Api) -> None:
    data = b"\xef\xbb\xbf" + json.dumps(order_body()).encode()
    response = api.send(
        "post", ORDERS, data, "application/json; charset=utf-8", Idempotency_Key="k1"
    )
    assert response.status_code == 201


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer x",
        "Basic dXNlcjpwdw==",
        "Bearer vrp_1_00000000_" + "0" * 40,
        "Bearer vrp_999999999999999999_00000000_" + "0" * 40,
        "Bearer \xff\xfe",
        "Bearer a b",
    ],
)
def test_a_key_is_needed(world: World, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = Client().get(ORDERS, headers=headers)
    assert (response.status_code, code_of(response)) == (401, "unauthenticated")
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_key_of_another_tenants_number_is_unknown(world: World) -> None:
    """The tenant in a key is where it is looked for, not who it is."""
    parts = world.api.key.split("_")
    parts[1] = str(world.addis.pk)
    assert Api("_".join(parts)).get(ORDERS).status_code == 401


def test_revoked_and_expired_keys_are_dead(world: World, api: Api) -> None:
    for field in ("revoked_at", "expires_at"):
        with tenant_scope(world.tenant):
            ApiKey.objects.update(**{field: "2026-01-01T00:00:00Z"})
        assert api.get(ORDERS).status_code == 401
        with tenant_scope(world.tenant):
            ApiKey.objects.update(**{field: None})
    assert api.get(ORDERS).status_code == 200


def test_the_last_use_of_a_key_is_known(world: World, api: Api) -> None:
    api.get(ORDERS)
    with tenant_scope(world.tenant):
        key = ApiKey.objects.get(buyer=world.buyer)
        assert key.last_used_at is not None
        assert ApiKey.objects.get(buyer__code="ZRA").last_used_at is None


@pytest.mark.parametrize(
    "path",
    ["/api/v1/", "/api/v1/nothing", "/api/v2/orders", "/api/v1/orders/", "/api/x%00"],
)
def test_unknown_addresses_answer_in_the_one_shape(path: str) -> None:
    for method in ("get", "post", "delete"):
        response = getattr(Client(), method)(path)
        assert (response.status_code, code_of(response)) == (404, "not_found")


def test_methods_that_are_not_offered(api: Api) -> None:
    for method, path in (
        ("put", ORDERS),
        ("patch", ORDERS),
        ("delete", ORDERS),
        ("post", "/api/v1/products"),
        ("get", f"{ORDERS}/{uuid.uuid4()}/cancel"),
    ):
        response = api.send(method, path, "{}")
        assert (response.status_code, code_of(response)) == (
            405,
            "method_not_allowed",
        )
        assert "OPTIONS" in response["Allow"]


def test_head_and_options(api: Api) -> None:
    head = api.send("head", ORDERS)
    assert (head.status_code, head.content) == (200, b"")
    options = api.send("options", ORDERS)
    assert (options.status_code, options.content) == (204, b"")
    assert options["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_a_bad_host_and_a_crash_have_the_one_shape(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = Client().get(ORDERS, headers={"Host": "evil.example"})
    assert (response.status_code, code_of(response)) == (400, "malformed")

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("orders.api.reading.orders_of", broken)
    api.client.raise_request_exception = False
    response = api.get(ORDERS)
    assert (response.status_code, code_of(response)) == (500, "server_error")


def test_a_database_that_is_away_is_said_so(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr("orders.api.reading.orders_of", away)
    response = api.get(ORDERS)
    assert (response.status_code, code_of(response)) == (503, "unavailable")
    assert int(response["Retry-After"]) > 0


@pytest.fixture
def three_a_minute(settings: Any) -> None:
    settings.RATES = {**settings.RATES, "api": Rate(3, 60)}
    # Counted under names of this test's own.
    settings.SECRET_KEY = uuid.uuid4().hex


@pytest.mark.usefixtures("three_a_minute")
def test_too_many_requests_are_told_when_to_come_back(settings: Any, db: None) -> None:
    world = build_world()
    answers = [world.api.get(ORDERS) for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert [one["RateLimit-Remaining"] for one in answers] == ["2", "1", "0", "0"]
    assert answers[0]["RateLimit-Limit"] == "3"
    response = world.api.place()
    assert (response.status_code, code_of(response)) == (429, "rate_limited")
    # A wait may be a twentieth of the window longer.
    assert 0 < int(response["Retry-After"]) <= 63
    assert world.counts()["order"] == 0
    assert world.rival.get(ORDERS).status_code == 200


@pytest.mark.usefixtures("three_a_minute")
def test_without_redis_orders_still_come_in(settings: Any, db: None) -> None:
    world = build_world()
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    assert [world.api.place().status_code for _ in range(4)] == [201] * 4


def foreign_routes(order: str, hook: str, delivery: str) -> list[tuple[str, str, str]]:
    """(route, method, path) of every route that names a row."""
    return [
        ("orders/<uuid:order_id>", "get", f"{ORDERS}/{order}"),
        ("orders/<uuid:order_id>/cancel", "post", f"{ORDERS}/{order}/cancel"),
        ("webhooks/<uuid:webhook_id>", "get", f"/api/v1/webhooks/{hook}"),
        ("webhooks/<uuid:webhook_id>", "delete", f"/api/v1/webhooks/{hook}"),
        (
            "webhooks/<uuid:webhook_id>/rotate-secret",
            "post",
            f"/api/v1/webhooks/{hook}/rotate-secret",
        ),
        (
            "webhooks/<uuid:webhook_id>/deliveries",
            "get",
            f"/api/v1/webhooks/{hook}/deliveries",
        ),
        (
            "webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/replay",
            "post",
            f"/api/v1/webhooks/{hook}/deliveries/{delivery}/replay",
        ),
    ]


# Routes without a row of somebody in them.
OPEN = {"orders", "products", "products/<path:sku>", "webhooks", "openapi.json"}


def test_what_belongs_to_others_is_not_there(world: World, settings: Any) -> None:
    settings.EMBEDDED = True
    api = world.api
    made = api.post("/api/v1/webhooks", {"url": "http://127.0.0.1:9/h"}).json()
    order = api.place().json()
    hook = f"/api/v1/webhooks/{made['id']}"
    (delivery,) = api.get(f"{hook}/deliveries").json()["results"]
    routes = foreign_routes(order["id"], made["id"], delivery["id"])
    assert {route for route, _, _ in routes} | OPEN == {
        str(route.pattern) for route in urls.v1
    }
    before = world.counts()
    for _, method, path in routes:
        for other in (world.rival, world.stranger):
            response = other.send(method, path, "{}" if method == "post" else "")
            assert (response.status_code, code_of(response)) == (404, "not_found")
    for other in (world.rival, world.stranger):
        assert other.get(ORDERS).json()["results"] == []
        assert other.get("/api/v1/webhooks").json()["results"] == []
    assert world.counts() == before
    assert api.get(f"{ORDERS}/{order['id']}").json() == order


def test_ids_that_are_no_ids(api: Api) -> None:
    for text in ("1", "x", "%00", "' OR 1=1", "0" * 500, "../orders"):
        assert api.get(f"{ORDERS}/{text}").status_code == 404
        assert api.get(f"/api/v1/webhooks/{text}").status_code == 404


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=60),
    st.sampled_from(
        ["HPN-01", "wholesale", "2027-03-29", "", "\x00", "\ud800", 10**30]
    ),
)
TREE = st.recursive(
    ODD,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["sku", "quantity", "lines", "name", "city", "\x00"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)
FIELDS = ("po_number", "ship_by", "lines", "channel", "ship_to", "note", "more")


@hypothesis_settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(changes=st.dictionaries(st.sampled_from(FIELDS), TREE, min_size=1, max_size=3))
def test_no_body_breaks_it_and_no_refusal_leaves_a_row(
    world: World, api: Api, changes: dict
) -> None:
    before = world.counts()
    response = api.place(order_body(**changes))
    assert response.status_code in (201, 409, 422)
    if response.status_code != 201:
        code_of(response)
        assert world.counts() == before


@hypothesis_settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.binary(max_size=200))
def test_no_bytes_break_it(world: World, api: Api, data: bytes) -> None:
    before = world.counts()
    response = api.send("post", ORDERS, data, Idempotency_Key=uuid.uuid4().hex)
    assert response.status_code in (400, 422)
    code_of(response)
    assert world.counts() == before


def test_a_browser_at_an_unknown_address_gets_a_page_and_a_system_json() -> None:
    client = Client()
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = client.get("/nowhere", headers=browser)
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert b"There is nothing here" in page.content
    for path in ("/api/v1/nowhere", "/phone/nowhere", "/pay/nowhere"):
        answer = client.get(path, headers=browser)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert code_of(client.get("/nowhere")) == "not_found"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "GZIP"])
def test_a_compressed_body_is_not_unpacked(api: Api, coding: str) -> None:
    bomb = gzip.compress(b" " * 5_000_000)
    response = api.send(
        "post", ORDERS, bomb, Content_Encoding=coding, Idempotency_Key="k"
    )
    assert (response.status_code, code_of(response)) == (415, "unsupported_media_type")
