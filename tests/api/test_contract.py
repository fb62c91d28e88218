"""The OpenAPI document, the docs and the code say the same."""

import ast
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from jsonschema import Draft202012Validator

from orders.api.document import as_text, document
from orders.enums import OrderState, Scope
from orders.models import WebhookDelivery
from orders.services.webhooks import EVENTS
from orders.webhooks import sign
from tests.api.conftest import SEEN, World
from vrp.api.errors import CODES, FRAMEWORK
from vrp.tenancy.scope import tenant_scope

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "api.md").read_text()


def test_the_committed_document_is_the_codes_own(tmp_path: Path) -> None:
    assert (ROOT / "docs" / "openapi.json").read_text() == as_text(), (
        "run manage.py export_openapi"
    )
    call_command("export_openapi", "--check")
    copy = tmp_path / "openapi.json"
    with pytest.raises(CommandError):
        call_command("export_openapi", copy, "--check")
    call_command("export_openapi", copy, stdout=io.StringIO())
    assert copy.read_text() == as_text()


@pytest.mark.django_db
def test_every_operation_answers_as_the_document_says(
    world: World, settings: Any
) -> None:
    """The client validates each answer; here every operation gets its turn."""
    settings.EMBEDDED = True
    SEEN.clear()
    api = world.api
    hook = api.post("/api/v1/webhooks", {"url": "http://127.0.0.1:9/h"}).json()["id"]
    order = api.place().json()["id"]
    api.get("/api/v1/orders")
    api.get(f"/api/v1/orders/{order}")
    api.post(f"/api/v1/orders/{order}/cancel", {})
    for path in ("/api/v1/products", "/api/v1/products/HPN-01"):
        api.get(path, If_None_Match=api.get(path)["ETag"])
    api.get("/api/v1/webhooks")
    path = f"/api/v1/webhooks/{hook}"
    api.get(path)
    rows = api.get(f"{path}/deliveries").json()["results"]
    api.send("post", f"{path}/deliveries/{rows[0]['id']}/replay")
    api.post(f"{path}/rotate-secret", {})
    api.delete(path)
    promised = {
        (template, method, int(status))
        for template, item in document()["paths"].items()
        for method, operation in item.items()
        for status in operation["responses"]
        if int(status) < 400
    }
    assert promised == SEEN


@pytest.mark.django_db
def test_what_is_told_is_what_the_document_says(world: World, settings: Any) -> None:
    settings.EMBEDDED = True
    world.api.post("/api/v1/webhooks", {"url": "http://127.0.0.1:9/h"})
    order = world.api.place().json()["id"]
    world.api.post(f"/api/v1/orders/{order}/cancel", {})
    schema = document()["components"]["schemas"]["WebhookPayload"]
    with tenant_scope(world.tenant):
        payloads = [row.payload for row in WebhookDelivery.objects.order_by("pk")]
    assert [one["data"]["order"]["state"] for one in payloads] == [
        OrderState.PLACED,
        OrderState.CANCELLED,
    ]
    for payload in payloads:
        Draft202012Validator(schema).validate(payload)


def test_the_document_is_served_to_everybody() -> None:
    response = Client().get("/api/v1/openapi.json")
    assert response.json() == json.loads(as_text())
    etag = {"If-None-Match": response["ETag"]}
    assert Client().get("/api/v1/openapi.json", headers=etag).status_code == 304


def test_every_operation_needs_a_key_and_names_its_errors() -> None:
    for item in document()["paths"].values():
        for operation in item.values():
            ((scope,),) = [need["apiKey"] for need in operation["security"]]
            assert scope in Scope.values
            assert {"401", "403", "429", "500", "503"} <= set(operation["responses"])
            if "requestBody" in operation:
                assert {"400", "413", "415", "422"} <= set(operation["responses"])
                (content,) = operation["requestBody"]["content"].values()
                assert content["examples"], operation["operationId"]


def codes_in(path: Path) -> set[str]:
    """Error codes that a module raises: ``code="x"``, or ``code = "x"`` in a class."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        values: list[Any] = []
        if isinstance(node, ast.Call):
            values = [word.value for word in node.keywords if word.arg == "code"]
        elif isinstance(node, ast.ClassDef):
            values = [
                part.value
                for part in node.body
                if isinstance(part, ast.Assign)
                and any(getattr(name, "id", "") == "code" for name in part.targets)
            ]
        found |= {
            value.value
            for value in values
            if isinstance(value, ast.Constant) and isinstance(value.value, str)
        }
    return found


def test_every_error_code_is_documented() -> None:
    files = [
        *(ROOT / "orders" / "services").glob("*.py"),
        *(ROOT / "orders" / "api").glob("*.py"),
        *(ROOT / "vrp" / "api").glob("*.py"),
        ROOT / "vrp" / "errors.py",
    ]
    raised = {code for path in files for code in codes_in(path)} - {"error"}
    raised |= {code for code, _ in FRAMEWORK.values()}
    assert "duplicate_po" in raised
    assert raised == set(CODES)
    table = re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", MANUAL, re.MULTILINE)
    assert {code: int(status) for code, status in table} == {
        code: status for code, (status, _) in CODES.items()
    }


def test_every_event_is_documented() -> None:
    told = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", MANUAL, re.MULTILINE)
    assert tuple(told) == EVENTS
    assert list(document()["webhooks"]) == list(EVENTS)


def test_the_manuals_signature_is_right() -> None:
    cells = dict(re.findall(r"^\| ([a-z-]+) \| `(.+)` \|$", MANUAL, re.MULTILINE))
    given = sign(
        cells["secret"],
        cells["webhook-id"],
        int(cells["webhook-timestamp"]),
        cells["body"].encode(),
    )
    assert given == cells["webhook-signature"]


def test_the_manuals_receiver_accepts_us_and_nobody_else() -> None:
    """Runs the Python that the manual hands to buyers."""
    (code,) = re.findall(r"```python\n(.+?)```", MANUAL, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    now, secret = int(names["time"].time()), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    def accepts(body: bytes = b"{}", key: str = secret, stamp: int = now) -> bool:
        headers = {
            "webhook-id": "m1",
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(key, "m1", stamp, b"{}"),
        }
        return names["is_ours"](secret, headers, body)

    assert accepts()
    assert not accepts(body=b"{ }")
    assert not accepts(key="whsec_AAAA")
    assert not accepts(stamp=now - 301)


def test_the_page_shows_everything_and_asks_nobody() -> None:
    response = Client().get("/api/docs/")
    assert response.status_code == 200
    assert "default-src 'self'" in response["Content-Security-Policy"]
    html = response.content.decode()
    for item in document()["paths"].values():
        for operation in item.values():
            assert f'id="{operation["operationId"]}"' in html
    for word in (*CODES, *EVENTS):
        assert f"<code>{word}</code>" in html
    assert "style=" not in html
    assert "<script" not in html
    sources = re.findall(r'<link[^>]+href="([^"]+)"', html)
    assert sources
    assert all(source.startswith("/static/") for source in sources)
    links = set(re.findall(r'href="#([^"]+)"', html))
    assert links <= set(re.findall(r' id="([^"]+)"', html))
    assert Client().post("/api/docs/").status_code == 405
