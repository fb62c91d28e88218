"""The buyers' OpenAPI document: the views' own, and the webhooks that we send."""

import json
from functools import lru_cache
from typing import Any

from orders.api.links import add_links
from orders.services.webhooks import EVENTS
from vrp.api.schema import generate

# What each event means to a buyer; docs/api.md says the same.
MEANINGS = {
    "order.placed": "The order is in, exploded into parts.",
    "order.in_production": "Workshops are being given its work.",
    "order.ready": "Every part is in, made or bought, and inspected.",
    "order.shipped": "It left headquarters; the order has the tracking number.",
    "order.cancelled": "It is cancelled, by you or by the brand.",
}
STATES = [name.removeprefix("order.") for name in EVENTS]
HEADERS = {
    "webhook-id": "The same in every attempt and replay of one event: drop duplicates.",
    "webhook-timestamp": "Unix seconds of this attempt; refuse more than 5 minutes off.",
    "webhook-signature": "v1,<base64 HMAC-SHA256 of id.timestamp.body>; for a day after "
    "the secret was replaced two of them, separated by a space",
}
TAGS = [
    {"name": "orders", "description": "Place orders and follow them."},
    {"name": "products", "description": "What can be ordered."},
    {"name": "webhooks", "description": "Be told of changes instead of asking."},
]


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The whole document. Its values must not be changed by the caller."""
    found = generate()
    found["tags"] = TAGS
    add_links(found["paths"])
    found["components"]["schemas"]["WebhookPayload"] = _payload()
    found["webhooks"] = {name: {"post": _told(name)} for name in EVENTS}
    return found


def as_text() -> str:
    """The document as it is committed in ``docs/openapi.json``."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _told(name: str) -> dict[str, Any]:
    example = {
        "type": name,
        "timestamp": "2027-03-01T06:00:00.000000Z",
        "data": {
            "order": {
                "id": "7f8c2f0e-6d4a-4f0a-9f43-0a3f6f1f2a11",
                "po_number": "NRD-4500123",
                "state": name.removeprefix("order."),
                "url": "https://vrp.example.com/api/v1/orders/"
                "7f8c2f0e-6d4a-4f0a-9f43-0a3f6f1f2a11",
            }
        },
    }
    schema = {"$ref": "#/components/schemas/WebhookPayload"}
    return {
        "operationId": f"told_{name.replace('.', '_')}",
        "summary": MEANINGS[name],
        "tags": ["webhooks"],
        "parameters": [
            {
                "in": "header",
                "name": header,
                "required": True,
                "description": meaning,
                "schema": {"type": "string"},
            }
            for header, meaning in HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example}},
        },
        "responses": {
            "2XX": {"description": "Taken. Answer within 10 seconds."},
            "410": {"description": "Gone: the endpoint is disabled."},
        },
    }


def _payload() -> dict[str, Any]:
    """JSON Schema of ``orders.services.webhooks.payload_of``."""
    order = {
        "type": "object",
        "description": "Thin on purpose: read the order by its id.",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "po_number": {"type": "string"},
            "state": {"type": "string", "enum": STATES},
            "url": {"type": "string", "format": "uri"},
        },
        "required": ["id", "po_number", "state", "url"],
    }
    return {
        "type": "object",
        "description": "What a webhook carries.",
        "properties": {
            "type": {"type": "string", "enum": list(EVENTS)},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {
                "type": "object",
                "properties": {"order": order},
                "required": ["order"],
            },
        },
        "required": ["type", "timestamp", "data"],
    }
