"""The cast of the API's tests, and a client that checks every answer it gets.

Nothing here leaves a tenant's scope entered: a view that forgets to enter it fails.
"""

import itertools
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from jsonschema import Draft202012Validator, FormatChecker

from orders.api.document import document
from orders.models import Buyer
from tests.builders import (
    Network,
    build_day,
    build_key,
    build_network,
    build_tenant,
)
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

SEEN: set[tuple[str, str, int]] = set()
_numbers = itertools.count(1)


def operation_of(path: str, method: str) -> tuple[str, dict[str, Any]] | None:
    """The template and operation of a path in the OpenAPI document."""
    for template, item in document()["paths"].items():
        pattern = re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method in item:
            return template, item[method]
    return None


def check_answer(path: str, method: str, response: Any) -> None:
    """Fail unless status, content type and body are what the document says."""
    found = operation_of(path, method)
    if found is None:
        return
    template, operation = found
    status = response.status_code
    SEEN.add((template, method, status))
    declared = operation["responses"]
    assert str(status) in declared, f"{method} {template} answers {status} unannounced"
    content = declared[str(status)].get("content")
    if content is None:
        assert response.content == b""
        return
    assert response["Content-Type"] == "application/json"
    schema = {**content["application/json"]["schema"], "components": _components()}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(
        response.json()
    )


def _components() -> dict[str, Any]:
    """The schemas with answers closed: a field that is not announced fails too."""
    schemas = {
        name: {**schema, "additionalProperties": False}
        if "properties" in schema
        else schema
        for name, schema in document()["components"]["schemas"].items()
    }
    return {"schemas": schemas}


class Api:
    """A buyer's system: sends its key, and validates each answer."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.client = Client()

    def send(
        self, method: str, path: str, data: Any = "", type: str = "", **headers: str
    ) -> Any:
        if path.startswith("http"):
            path = path.removeprefix("http://testserver")
        names = {name.replace("_", "-"): text for name, text in headers.items()}
        response = self.client.generic(
            method.upper(),
            path,
            data,
            content_type=type or "application/json",
            headers={"Authorization": f"Bearer {self.key}", **names},
        )
        check_answer(path.partition("?")[0], method, response)
        return response

    def get(self, path: str, **headers: str) -> Any:
        return self.send("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("post", path, json.dumps(body), **headers)

    def delete(self, path: str) -> Any:
        return self.send("delete", path)

    def place(self, body: Any = None, key: str = "", **changes: Any) -> Any:
        """POST an order; ``changes`` go into a body that is fine."""
        body = {**order_body(), **changes} if body is None else body
        key = key or f"key-{next(_numbers)}"
        return self.post("/api/v1/orders", body, Idempotency_Key=key)


def order_body(**changes: Any) -> dict[str, Any]:
    """A body that is fine."""
    return {
        "po_number": f"PO-{next(_numbers)}",
        "ship_by": build_day(28).isoformat(),
        "lines": [{"sku": "HPN-01", "quantity": 100}],
        **changes,
    }


@dataclass
class World:
    """Soko with two buyers, and Addis, the neighbour, with one."""

    tenant: Tenant
    network: Network
    api: Api
    rival: Api
    addis: Tenant
    stranger: Api

    @property
    def buyer(self) -> Buyer:
        return self.network.buyer

    def counts(self) -> dict[str, int]:
        """Rows that an API call could have made, over both tenants."""
        tables = "order orderline workorder partneed webhookendpoint webhookdelivery"
        found = dict.fromkeys([*tables.split(), "event"], 0)
        for tenant in (self.tenant, self.addis):
            with tenant_scope(tenant), connection.cursor() as cursor:
                for name in found:
                    table = "events_event" if name == "event" else f"orders_{name}"
                    cursor.execute(f"SELECT count(*) FROM {table}")
                    found[name] += cursor.fetchone()[0]
        return found


def build_world() -> World:
    soko, addis = build_tenant("soko"), build_tenant("addis")
    with tenant_scope(soko):
        network = build_network(soko)
        rival = Buyer.objects.create(tenant=soko, code="ZRA", name="Zara demo")
        keys = [build_key(network.buyer), build_key(rival)]
    with tenant_scope(addis):
        keys.append(build_key(build_network(addis).buyer))
    return World(soko, network, Api(keys[0]), Api(keys[1]), addis, Api(keys[2]))


@pytest.fixture
def world(db: None) -> World:
    """Built in its scopes, used outside of any."""
    return build_world()


@pytest.fixture
def api(world: World) -> Api:
    """The buyer's client."""
    return world.api
