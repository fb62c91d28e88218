"""``demo.json``: the one file the tour reads; everything else it learns over HTTP."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vrp.walk.problem import NotRight

TENANT = "soko-demo"
BUYER = "NRD"


@dataclass(frozen=True)
class Line:
    """One workshop's phone line."""

    code: str
    name: str
    phone: str
    language: str


@dataclass(frozen=True)
class Facts:
    """Where the system is and who may sign in."""

    url: str
    standin_url: str
    users: dict[str, dict[str, str]]
    ussd_code: str
    ussd_url: str
    sms_sender: str
    buyer: str
    api_key: str
    workshops: dict[str, Line]


def read_facts(folder: Path) -> Facts:
    """Read ``DIR/demo.json``. Raises ``NotRight`` if it is missing or incomplete."""
    path = folder / "demo.json"
    try:
        return _facts(json.loads(path.read_text("utf-8")))
    except FileNotFoundError as error:
        raise NotRight(
            f"{path} is not there. Start the system with bin/up (its --data folder is "
            "the one to give here) and wait until it says that it runs."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise NotRight(f"{path} cannot be used: {error!r}.") from error


def _facts(found: dict[str, Any]) -> Facts:
    tenant = next(row for row in found["tenants"] if row["slug"] == TENANT)
    buyers = tenant["buyers"]
    buyer = next((row for row in buyers if row.get("code") == BUYER), buyers[0])
    lines = [
        Line(row["code"], row.get("name", ""), row["phone"], row["language"])
        for row in tenant["workshops"]
    ]
    return Facts(
        url=found["url"],
        standin_url=found["standin_url"],
        users={
            r: user for r, user in found["users"].items() if user["tenant"] == TENANT
        },
        ussd_code=tenant["ussd_code"],
        ussd_url=tenant["ussd_url"],
        sms_sender=str(tenant.get("sms_sender", "")),
        buyer=buyer["name"],
        api_key=buyer["api_key"],
        workshops={line.code: line for line in lines},
    )
