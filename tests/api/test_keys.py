"""API keys: scopes, ends, replacement with overlap, and the pages where they are made."""

import re
from datetime import timedelta
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from orders.api import urls
from orders.enums import Scope
from orders.keys import find
from orders.models import ApiKey, Order
from orders.numbers import po_key
from orders.services.keys import issue_key, revoke_key, rotate_key
from tests.api.conftest import Api, World, build_world, order_body
from tests.builders import SYSTEM, Network, build_key
from vrp.accounts.enums import Role
from vrp.console.today import cards
from vrp.errors import Conflict, IllegalMove, Invalid
from vrp.events.models import Event
from vrp.rates import Rate
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/orders"
WEEK = timedelta(days=7)


def needs() -> list[tuple[str, str, str]]:
    """(method, path, scope) of every operation."""
    ids = "7f8c2f0e-6d4a-4f0a-9f43-0a3f6f1f2a11"
    found = []
    for route in urls.v1:
        view = getattr(route.callback, "view_class", None)
        if view is None:
            continue
        path = "/api/v1/" + re.sub(r"<uuid:\w+>", ids, str(route.pattern))
        path = path.replace("<path:sku>", "HPN-01")
        methods = [
            name
            for name in ("get", "post", "put", "patch", "delete")
            if hasattr(view, name)
        ]
        assert {name.upper() for name in methods} == set(view.scopes), path
        found += [(name, path, view.scopes[name.upper()]) for name in methods]
    return found


@pytest.mark.parametrize(("method", "path", "scope"), needs())
def test_every_operation_asks_for_its_scope(
    world: World, method: str, path: str, scope: str
) -> None:
    with tenant_scope(world.tenant):
        others = [one for one in Scope.values if one != scope]
        without = Api(build_key(world.buyer, *others))
        within = Api(build_key(world.buyer, scope))
    before = world.counts()
    refused = without.send(method, path, "{}" if method == "post" else "")
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "insufficient_scope"
    assert scope in refused.json()["error"]["message"]
    assert f'scope="{scope}"' in refused["WWW-Authenticate"]
    assert world.counts() == before
    allowed = within.send(method, path, "{}" if method == "post" else "")
    assert allowed.status_code not in (401, 403)


def test_wrong_keys_are_401_and_then_429_and_right_ones_pass(
    settings: Any, db: None
) -> None:
    settings.SECRET_KEY = "of this test"
    world = build_world()
    settings.RATES = {**settings.RATES, "guess": Rate(3, 60)}
    bad = Api(world.api.key[:-1] + ("0" if world.api.key[-1] != "0" else "1"))
    address = {"X-Forwarded-For": "203.0.113.77"}
    settings.TRUSTED_PROXIES = 1
    seen = [
        bad.client.get(
            ORDERS, headers={"Authorization": f"Bearer {bad.key}", **address}
        ).status_code
        for _ in range(5)
    ]
    assert seen[:2] == [401, 401]
    assert seen[-1] == 429
    good = bad.client.get(
        ORDERS, headers={"Authorization": f"Bearer {world.api.key}", **address}
    )
    assert good.status_code == 200


def test_a_key_is_replaced_with_overlap(world: World) -> None:
    with tenant_scope(world.tenant):
        key, old = issue_key(
            buyer=world.buyer,
            name="ERP",
            scopes=Scope.values,
            expires_at=None,
            actor=SYSTEM,
        )
    body = order_body()
    assert Api(old).place(body, key="k1").status_code == 201
    with tenant_scope(world.tenant):
        made, new = rotate_key(key=key, overlap=WEEK, actor=SYSTEM)
        assert (made.name, made.scopes, made.first_id) == ("ERP", key.scopes, key.pk)
        with pytest.raises(IllegalMove):
            rotate_key(key=key, actor=SYSTEM)
    # A request whose answer was lost is repeated with the new key, and done once.
    again = Api(new).place(body, key="k1")
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert Api(old).get(ORDERS).status_code == 200
    with tenant_scope(world.tenant):
        end = ApiKey.objects.get(pk=key.pk).expires_at
        assert end is not None
        assert abs(end - timezone.now() - WEEK) < timedelta(minutes=1)
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    assert Api(old).get(ORDERS).status_code == 401
    assert Api(new).get(ORDERS).status_code == 200
    with tenant_scope(world.tenant):
        third, text = rotate_key(key=made, overlap=timedelta(0), actor=SYSTEM)
        assert third.first_id == key.pk
        revoke_key(key=third, actor=SYSTEM, reason="leaked")
    assert Api(new).get(ORDERS).status_code == 401
    assert Api(text).get(ORDERS).status_code == 401
    with tenant_scope(world.tenant):
        names = Event.objects.filter(name__startswith="api_key.").order_by("pk")
        assert [event.name for event in names] == [
            *("api_key.issued", "api_key.issued", "api_key.rotated"),
            *("api_key.issued", "api_key.rotated", "api_key.revoked"),
        ]
        told = str([event.data for event in names])
    assert text not in told
    assert text.rpartition("_")[2] not in told


def test_what_is_kept_opens_nothing(network: Network) -> None:
    key, text = issue_key(
        buyer=network.buyer,
        name="n",
        scopes=Scope.values,
        expires_at=None,
        actor=SYSTEM,
    )
    secret = text.rpartition("_")[2]
    kept = str(list(ApiKey.objects.values()))
    assert secret not in kept
    assert find(f"{key.prefix}_{key.digest[:40]}") is None
    assert find(text) == key


def test_keys_outlive_a_change_of_the_secret_key(
    network: Network, settings: Any
) -> None:
    text = build_key(network.buyer)
    before = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "next", [before]
    assert Api(text).get(ORDERS).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    # The first use moved it to the new one.
    assert Api(text).get(ORDERS).status_code == 200
    assert find(build_key(network.buyer)[:-1] + "x") is None


def test_what_a_key_must_have(network: Network) -> None:
    def make(**changes: Any) -> Any:
        given: dict[str, Any] = {
            "buyer": network.buyer,
            "name": "ERP",
            "scopes": [Scope.ORDERS_READ],
            "expires_at": None,
            "actor": SYSTEM,
        }
        return issue_key(**{**given, **changes})

    for wrong in (
        {"name": " "},
        {"name": "x" * 81},
        {"scopes": []},
        {"scopes": ["root"]},
        {"expires_at": timezone.now()},
        {"expires_at": timezone.now() + timedelta(days=4000)},
    ):
        with pytest.raises(Invalid):
            make(**wrong)
    make()
    with pytest.raises(Conflict):
        make(name=" erp ")
    for number in range(19):
        make(name=f"k{number}")
    with pytest.raises(Invalid, match="20 keys already"):
        make(name="one too many")


# -- the pages -------------------------------------------------------------------------


def new_key(client: Client, network: Network, **changes: Any) -> Any:
    form = {
        "buyer": network.buyer.pk,
        "name": "Warehouse",
        "scopes": ["orders:read"],
        "expires_on": "",
        **changes,
    }
    return client.post("/ops/api-keys/new/", form)


def test_an_admin_makes_a_key_that_is_shown_once(
    network: Network, signed_in: Any
) -> None:
    client = signed_in(Role.ADMIN)
    page = new_key(client, network)
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    (text,) = re.findall(r'value="(vrp_\d+_[0-9a-f]{8}_[0-9a-f]{40})"', page.text)
    assert find(text) is not None
    secret = text.rpartition("_")[2]
    assert secret not in str(dict(client.session.items()))
    assert secret not in str(page.cookies)
    key = ApiKey.objects.get()
    assert key.scopes == ["orders:read"]
    for path in ("/ops/api-keys/", f"/ops/api-keys/{key.pk}/"):
        shown = client.get(path).text
        assert key.prefix in shown
        assert secret not in shown
    # Sent twice, by a double click or Back: no second key.
    again = new_key(client, network)
    assert again.status_code == 422
    assert ApiKey.objects.count() == 1
    assert (
        new_key(client, network, name="x", expires_on="2020-01-01").status_code == 422
    )


def test_an_admin_replaces_and_revokes(network: Network, signed_in: Any) -> None:
    client = signed_in(Role.ADMIN)
    old = build_key(network.buyer)
    key = ApiKey.objects.get()
    page = client.post(f"/ops/api-keys/{key.pk}/rotate/", {"days": "3"})
    assert page.status_code == 200
    (new,) = re.findall(r'value="(vrp_\d+_[0-9a-f]{8}_[0-9a-f]{40})"', page.text)
    assert find(old) is not None
    assert find(new) is not None
    assert "being replaced" in client.get("/ops/api-keys/").text
    twice = client.post(f"/ops/api-keys/{key.pk}/rotate/", {"days": "3"})
    assert twice.status_code == 302
    assert ApiKey.objects.count() == 2
    client.post(f"/ops/api-keys/{key.pk}/revoke/", {"reason": "leaked"})
    assert find(old) is None
    assert find(new) is not None
    assert "leaked" in client.get(f"/ops/api-keys/{key.pk}/").text


def test_only_an_admin_may_and_others_look(network: Network, signed_in: Any) -> None:
    build_key(network.buyer)
    key = ApiKey.objects.get()
    client = signed_in(Role.PLANNER)
    assert client.get("/ops/api-keys/").status_code == 200
    assert client.get("/ops/api-keys/new/").status_code == 403
    assert new_key(client, network).status_code == 403
    for what in ("rotate", "revoke"):
        path = f"/ops/api-keys/{key.pk}/{what}/"
        assert client.post(path, {"days": "1"}).status_code == 403
    assert ApiKey.objects.get().revoked_at is None


def test_keys_that_end_soon_are_a_card_until_replaced(
    network: Network, person: Any, rf: Any
) -> None:
    from vrp.accounts.permissions import grant_for

    build_key(network.buyer)
    key = ApiKey.objects.get()
    user = person(Role.ADMIN)
    grant = grant_for(user, network.tenant)

    def shown() -> list[str]:
        request = rf.get("/")
        request.user, request.tenant, request.grant = user, network.tenant, grant
        return [card.title for card in cards(request, grant)]

    assert "API keys end soon" not in shown()
    ApiKey.objects.update(expires_at=timezone.now() + timedelta(days=5))
    assert "API keys end soon" in shown()
    key.refresh_from_db()
    rotate_key(key=key, actor=SYSTEM)
    assert "API keys end soon" not in shown()


# -- PO numbers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    ["po-9", "PO\u200b-9", "ＰＯ－９", "Po\u2060-9\ufeff", "PO\u00ad-9", "po\ufe0f-9"],
)
def test_po_numbers_that_look_the_same_are_the_same(
    network: Network, other: str
) -> None:
    assert po_key(other) == po_key("PO-9")


def test_a_po_number_in_another_case_is_a_duplicate(world: World, api: Api) -> None:
    first = api.place(po_number="PO-9").json()
    answer = api.place(po_number="po-9")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "duplicate_po")
    assert first["id"] in answer.json()["error"]["message"]
    with tenant_scope(world.tenant):
        # Two that were there before the rule stay, and a third is refused.
        Order.objects.create(
            tenant=world.tenant,
            buyer=world.buyer,
            number=900,
            po_number="Po-9",
            currency="USD",
            ship_by="2027-01-01",
        )
    assert api.place(po_number="pO-9").status_code == 409
    assert api.place(po_number="PO-10").status_code == 201


def test_all_mistakes_of_the_lines_are_told_at_once(world: World, api: Api) -> None:
    lines = [
        {"sku": "NO-1", "quantity": 1},
        {"sku": "HPN-01", "quantity": 1},
        {"sku": "NO-2", "quantity": 1},
        {"sku": "HPN-01", "quantity": 1},
    ]
    error = api.place(lines=lines, channel="white_label").json()["error"]
    assert {row["field"] for row in error["details"]} >= {
        "lines[0].sku",
        "lines[1].quantity",
        "lines[2].sku",
        "lines[3].sku",
    }


def test_orders_that_were_there_get_their_keys_and_none_is_lost(
    network: Network,
) -> None:
    """As the migration does it: the older of two alike has the key, both stay."""
    for number, po in enumerate(["PO-1", "po-1", "PO-2", "\u200b"], start=1):
        Order.objects.create(
            tenant=network.tenant,
            buyer=network.buyer,
            number=number,
            po_number=po,
            currency="USD",
            ship_by="2027-01-01",
        )
    give_keys = import_module("orders.migrations.0004_po_keys").give_keys
    for _ in range(2):
        give_keys(apps, None)
        kept = Order.objects.order_by("number").values_list("po_number", "po_key")
        assert list(kept) == [
            ("PO-1", "po-1"),
            ("po-1", None),
            ("PO-2", "po-2"),
            ("\u200b", None),
        ]


def test_a_key_can_be_made_on_the_server(network: Network) -> None:
    said = StringIO()
    asked = {"tenant": "soko", "buyer": "NRD", "name": "ERP", "days": 30}
    call_command("issue_api_key", scope=["orders:read"], stdout=said, **asked)
    key = find(said.getvalue().strip())
    assert key is not None
    assert key.scopes == ["orders:read"]
    with pytest.raises(CommandError, match="a key named ERP"):
        call_command("issue_api_key", scope=["orders:read"], **asked)
    with pytest.raises(CommandError, match="no buyer"):
        call_command("issue_api_key", scope=["orders:read"], **asked | {"buyer": "X"})
