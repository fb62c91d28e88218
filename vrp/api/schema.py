"""The OpenAPI document: what every operation has in common, and how it is built."""

import json
from functools import lru_cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    inline_serializer,
)
from rest_framework import serializers

from vrp.api.errors import CODES

# What any call with a key can meet.
ALWAYS = (
    "unauthenticated",
    "insufficient_scope",
    "rate_limited",
    "server_error",
    "unavailable",
)
# What any call with a body can meet besides.
BODY = ("malformed", "too_large", "unsupported_media_type", "invalid")


class DetailSerializer(serializers.Serializer):
    """One field that is not acceptable."""

    field = serializers.CharField(
        allow_blank=True, help_text="Path in the request, e.g. lines[0].sku."
    )
    message = serializers.CharField()


class ErrorBodySerializer(serializers.Serializer):
    """What went wrong."""

    code = serializers.ChoiceField(
        choices=[(code, code) for code in CODES], help_text="Stable; act on this."
    )
    message = serializers.CharField(help_text="A sentence for a person.")
    details = DetailSerializer(many=True)
    request_id = serializers.CharField(
        allow_blank=True, help_text="Name it when you ask us; our log knows it."
    )


class ErrorSerializer(serializers.Serializer):
    """The one shape of every error."""

    error = ErrorBodySerializer()


def error_example(code: str) -> dict[str, Any]:
    """A body as a client would get it."""
    return {
        "error": {
            "code": code,
            "message": CODES[code][1],
            "details": [],
            "request_id": "4f1c2d9e8b7a4c6d9e0f1a2b3c4d5e6f",
        }
    }


def answers(success: dict[int, Any], *codes: str) -> dict[int, Any]:
    """The responses of an operation: its own, and its errors grouped by status."""
    found: dict[int, Any] = dict(success)
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys((*ALWAYS, *codes)):
        by_status.setdefault(CODES[code][0], []).append(code)
    for status, names in sorted(by_status.items()):
        found[status] = OpenApiResponse(
            ErrorSerializer,
            description="\n".join(f"`{name}`: {CODES[name][1]}" for name in names),
            examples=[
                OpenApiExample(name, value=error_example(name), response_only=True)
                for name in names
            ],
        )
    return found


def header(
    name: str, description: str, *, on: list[int], text: Any = str
) -> OpenApiParameter:
    """A header of the answers with these statuses."""
    return OpenApiParameter(
        name, text, OpenApiParameter.HEADER, description=description, response=on
    )


RETRY_AFTER = header("Retry-After", "Seconds to wait.", on=[429, 503], text=int)


@lru_cache(maxsize=32)
def page_of(row: type[serializers.Serializer]) -> Any:
    """``{"results": [row], "next": address or null, "next_cursor": text or null}``."""
    name = row.__name__.removesuffix("Serializer")
    return inline_serializer(
        f"{name}Page",
        {
            "results": row(many=True),
            "next": serializers.CharField(
                allow_null=True, help_text="Address of the next page."
            ),
            "next_cursor": serializers.CharField(allow_null=True),
        },
    )


def generate() -> dict[str, Any]:
    """The document that drf-spectacular reads off the views, in plain JSON values."""
    found = SchemaGenerator().get_schema(request=None, public=True)
    for name, schema in found["components"]["schemas"].items():
        # Request bodies refuse unknown names (``StrictSerializer``). Answers carry
        # every field, with null or "" for what is not known, and may grow.
        if name.endswith("Request"):
            schema["additionalProperties"] = False
        elif "properties" in schema:
            schema["required"] = sorted(schema["properties"])
    return json.loads(json.dumps(found))
