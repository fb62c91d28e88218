"""Loaded by schemathesis: what no schema can say, so that good requests are good ones.

A schema knows the form of a SKU and not which are sold, that a day is a day and not that
it must be ahead. Positive cases get known SKUs, days ahead, and every other time an id
that an earlier answer gave. Negative cases are left exactly as they are.
"""

import base64
import itertools
import json
import os
import uuid
from datetime import date, timedelta
from typing import Any

import requests
import schemathesis
from schemathesis import GenerationMode

SKUS = [f"HPN-{number:02d}" for number in range(1, 7)]
# Public by its number, so no name is looked up; no worker runs, so nothing is sent.
ADDRESS = "https://1.1.1.1/hooks"
# Refusals that depend on what came before and not on the request's form.
HISTORY = {"limit_reached", "idempotency_mismatch"}
# An endpoint is let go when a buyer has so many, to keep registering possible.
ROOM = 8

known: dict[str, list[str]] = {
    "order_id": [],
    "webhook_id": [],
    # "endpoint delivery", of an endpoint that the test made.
    "delivery": [os.environ.get("ANYINPUT_DELIVERY", "")],
}
_turn = itertools.count()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Make a positive case fit the data that there is."""
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    name = case.operation.definition.raw.get("operationId")
    if name == "place_order" and isinstance(case.body, dict):
        _sell(case.body)
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if name == "register_webhook" and isinstance(case.body, dict):
        case.body["url"] = ADDRESS
        _make_room(case)
    cursor = (case.query or {}).get("cursor")
    if cursor is not None and not _is_ours(cursor):
        del case.query["cursor"]
    if next(_turn) % 2:
        _name_known(case, name)


def _sell(body: dict[str, Any]) -> None:
    body["lines"] = [
        # JSON Schema takes 60.0 for an integer; the API says that it does not.
        {**line, "sku": sku, "quantity": max(int(line["quantity"]), 50)}
        for sku, line in zip(SKUS, body["lines"], strict=False)
    ]
    days = int.from_bytes(body["ship_by"].encode()) % 1000
    body["ship_by"] = (date.today() + timedelta(days=days + 2)).isoformat()


def _make_room(case: Any) -> None:
    while len(known["webhook_id"]) >= ROOM:
        gone = known["webhook_id"].pop(0)
        requests.delete(
            f"{case.operation.base_url}/api/v1/webhooks/{gone}",
            headers={"Authorization": f"Bearer {os.environ['ANYINPUT_KEY']}"},
            timeout=30,
        )


def _is_ours(cursor: Any) -> bool:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return isinstance(json.loads(base64.urlsafe_b64decode(padded)), list)
    except (ValueError, TypeError):
        return False


def _name_known(case: Any, operation: str) -> None:
    path = case.path_parameters or {}
    if _came_by_link(case):
        return
    if "delivery_id" in path:
        path["webhook_id"], path["delivery_id"] = known["delivery"][-1].split()
    elif "sku" in path:
        path["sku"] = SKUS[0]
    else:
        for name in path:
            if known.get(name):
                path[name] = known[name][-1]


def _came_by_link(case: Any) -> bool:
    return case.meta.phase.name == "stateful"


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Remember the ids that answers give."""
    name = case.operation.definition.raw.get("operationId")
    if name == "delete_webhook" and response.status_code == 204:
        gone = case.path_parameters["webhook_id"]
        known["webhook_id"] = [one for one in known["webhook_id"] if one != gone]
        known["delivery"] = [one for one in known["delivery"] if gone not in one]
    if response.status_code not in (200, 201):
        return
    body = json.loads(response.content)
    if name == "place_order":
        known["order_id"].append(body["id"])
    elif name == "register_webhook":
        known["webhook_id"].append(body["id"])
    elif name == "list_deliveries":
        hook = case.path_parameters["webhook_id"]
        known["delivery"] += [f"{hook} {row['id']}" for row in body["results"]]


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """A good request may be refused for what came before it, and gunicorn answers an
    address of more than 4 kB itself."""
    if response.status_code == 414:
        return False
    try:
        code = json.loads(response.content)["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return True
    return code not in HISTORY
