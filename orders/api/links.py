"""Which answer leads to which request: the ``links`` of the OpenAPI document.

They tell a client (and the stateful tests) where an id or a cursor goes next.
"""

from typing import Any

SELF = "$response.body#"
FIRST = f"{SELF}/results/0"
ORDER = {"order_id": f"{SELF}/id"}
FIRST_ORDER = {"order_id": f"{FIRST}/id"}
HOOK = {"webhook_id": f"{SELF}/id"}
FIRST_HOOK = {"webhook_id": f"{FIRST}/id"}
SAME_HOOK = {"webhook_id": "$request.path.webhook_id"}
NEXT = {"cursor": f"{SELF}/next_cursor"}

# (operation, status): what can be called next, and with which parameters.
LINKS: dict[tuple[str, str], dict[str, dict[str, str]]] = {
    ("place_order", "201"): {"get_order": ORDER, "cancel_order": ORDER},
    ("list_orders", "200"): {
        "get_order": FIRST_ORDER,
        "cancel_order": FIRST_ORDER,
        "list_orders": NEXT,
    },
    ("get_order", "200"): {"cancel_order": ORDER},
    ("cancel_order", "200"): {"get_order": ORDER},
    ("list_products", "200"): {
        "get_product": {"sku": f"{FIRST}/sku"},
        "list_products": NEXT,
    },
    ("register_webhook", "201"): {
        "get_webhook": HOOK,
        "delete_webhook": HOOK,
        "list_deliveries": HOOK,
    },
    ("list_webhooks", "200"): {
        "get_webhook": FIRST_HOOK,
        "delete_webhook": FIRST_HOOK,
        "list_deliveries": FIRST_HOOK,
        "list_webhooks": NEXT,
    },
    ("list_deliveries", "200"): {
        "replay_delivery": {**SAME_HOOK, "delivery_id": f"{FIRST}/id"},
        "list_deliveries": {**SAME_HOOK, **NEXT},
    },
    ("delete_webhook", "204"): {"get_webhook": SAME_HOOK},
}


def add_links(paths: dict[str, Any]) -> None:
    """Put ``LINKS`` into the document's responses. KeyError for one that is not there."""
    operations = {
        operation["operationId"]: operation
        for item in paths.values()
        for operation in item.values()
    }
    for (source, status), targets in LINKS.items():
        operations[source]["responses"][status]["links"] = {
            target: {
                "operationId": operations[target]["operationId"],
                "parameters": how,
            }
            for target, how in targets.items()
        }
