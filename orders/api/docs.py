"""``/api/v1/openapi.json`` and ``/api/docs/``, both drawn from one document."""

import hashlib
import json
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from orders.api.document import MEANINGS, TAGS, as_text, document
from orders.services.webhooks import EVENTS
from vrp.api.errors import CODES

METHODS = ("get", "post", "delete")


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document, for everybody."""
    content = as_text().encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    response = HttpResponse(content, content_type="application/json")
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The document as a page for people: plain HTML, our own style, no script needed."""
    context = {
        "info": document()["info"],
        "groups": groups(),
        "schemas": schemas(),
        "codes": [(code, *meaning) for code, meaning in CODES.items()],
        "events": [(name, MEANINGS[name]) for name in EVENTS],
        "host": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "api/docs.html", context)


def prose(text: str) -> SafeString:
    """Text with ``code`` between back-ticks, escaped."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<code>{}</code>", part) if odd % 2 else part,)
            for odd, part in parts
        ),
    )


@lru_cache(maxsize=1)
def groups() -> list[dict[str, Any]]:
    """Operations by tag, each flattened to what the template prints."""
    found = []
    for tag in TAGS:
        operations = [
            _operation(path, method, item[method])
            for path, item in document()["paths"].items()
            for method in METHODS
            if method in item and tag["name"] in item[method]["tags"]
        ]
        found.append({**tag, "operations": operations})
    return found


def _operation(path: str, method: str, spec: dict[str, Any]) -> dict[str, Any]:
    content = spec.get("requestBody", {}).get("content", {}).get("application/json", {})
    return {
        "id": spec["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": spec.get("summary", ""),
        "description": prose(spec.get("description", "")),
        "parameters": [_parameter(row) for row in spec.get("parameters", [])],
        "body": _kind(content["schema"]) if content else None,
        "example": _example(content),
        "answers": [
            _answer(status, answer) for status, answer in spec["responses"].items()
        ],
    }


def _parameter(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "where": row["in"],
        "required": row.get("required", False),
        "kind": _kind(row["schema"]),
        "description": prose(row.get("description", "")),
    }


def _answer(status: str, answer: dict[str, Any]) -> dict[str, Any]:
    content = answer.get("content", {}).get("application/json", {})
    codes = list(content.get("examples", {})) if int(status) >= 400 else []
    names = [code for code in CODES if _title(code) in codes or code in codes]
    return {
        "status": status,
        "good": int(status) < 400,
        "kind": _kind(content["schema"]) if content else None,
        "description": "" if names else answer.get("description", ""),
        "codes": names,
        "headers": sorted(answer.get("headers", {})),
    }


def _title(code: str) -> str:
    """The key under which drf-spectacular files an example of this name."""
    return "".join(part.capitalize() for part in code.split("_"))


def _example(content: dict[str, Any]) -> str:
    for example in content.get("examples", {}).values():
        return json.dumps(example["value"], indent=2)
    return ""


@lru_cache(maxsize=1)
def schemas() -> list[dict[str, Any]]:
    """The named schemas that are objects, with their fields in order."""
    return [
        {
            "name": name,
            "description": schema.get("description", ""),
            "fields": [
                {
                    "name": field,
                    "required": field in schema.get("required", []),
                    "kind": _kind(value),
                    "description": prose(_plain(value.get("description", ""))),
                    "choices": _choices(value),
                }
                for field, value in schema["properties"].items()
            ],
        }
        for name, schema in sorted(document()["components"]["schemas"].items())
        if "properties" in schema
    ]


def _plain(description: str) -> str:
    """The first part: drf-spectacular appends a list of choices, printed otherwise."""
    return "" if description.startswith("* ") else description.split("\n\n* ")[0]


def _resolve(name: str) -> dict[str, Any]:
    return document()["components"]["schemas"][name]


def _choices(value: dict[str, Any]) -> list[str]:
    """Values that an enum allows, also behind a reference, a list or a null."""
    if "$ref" in value:
        value = _resolve(value["$ref"].rsplit("/", 1)[1])
    for part in (
        value.get("items", {}),
        *value.get("oneOf", []),
        *value.get("allOf", []),
    ):
        found = _choices(part) if part else []
        if found:
            return found
    return [str(choice) for choice in value.get("enum", []) if choice is not None]


def _kind(value: dict[str, Any]) -> dict[str, Any]:
    """``text`` in words, ``link`` to a schema on the page, ``many`` for a list."""
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[1]
        if "properties" in _resolve(name):
            return {"text": name, "link": name}
        return _kind(_resolve(name))
    for key in ("oneOf", "anyOf", "allOf"):
        if key in value:
            parts = [_kind(part) for part in value[key] if part != {"type": "null"}]
            nullable = len(parts) < len(value[key])
            parts = [part for part in parts if part["text"] != "null"] or parts
            return {**parts[0], "nullable": nullable}
    types = value.get("type", "any")
    types = [types] if isinstance(types, str) else types
    nullable = "null" in types
    first = next((one for one in types if one != "null"), "null")
    if first == "array":
        return {**_kind(value["items"]), "many": True, "nullable": nullable}
    return {"text": value.get("format", first), "nullable": nullable}
