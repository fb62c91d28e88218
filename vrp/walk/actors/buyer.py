"""A retail buyer's system: places orders by API and is told by webhook."""

import secrets
from datetime import date
from typing import Any

from vrp.walk.facts import Facts
from vrp.walk.problem import check
from vrp.walk.receiver import HOOK, Receiver
from vrp.walk.web import call, json_of, new_session

# A buyer has at most ten endpoints; so many of old tours may stay.
KEPT = 3


def _is_ours(url: str) -> bool:
    """Whether an address is one that a tour registered."""
    return url.startswith("http://127.0.0.1:") and url.endswith(HOOK)


class Buyer:
    """One API key and one webhook receiver."""

    def __init__(self, facts: Facts) -> None:
        self.name = facts.buyer
        self._api = f"{facts.url}/api/v1"
        self._session = new_session()
        self._session.headers["Authorization"] = f"Bearer {facts.api_key}"
        self.receiver = Receiver()
        self._endpoint = ""

    def get(self, path: str, **query: str) -> Any:
        """Read one resource; ``path`` begins with a slash."""
        url = self._api + path
        return json_of(call(self._session, "GET", url, params=query))

    def listen(self) -> None:
        """Register the receiver. Endpoints that aborted tours left make room for it."""
        ours = [row for row in self.get("/webhooks")["results"] if _is_ours(row["url"])]
        # Newest first: those kept may belong to a tour that runs at this moment.
        for row in ours[KEPT:]:
            self._remove(row["id"])
        body = {"url": self.receiver.url}
        made = json_of(call(self._session, "POST", f"{self._api}/webhooks", json=body))
        self._endpoint, self.receiver.secret = made["id"], made["secret"]

    def refused(self) -> str:
        """Try to register the receiver where it must be refused; returns the reason."""
        body = {"url": self.receiver.url}
        answer = call(self._session, "POST", f"{self._api}/webhooks", json=body)
        check(
            answer.status_code == 422,
            f"A webhook to {self.receiver.url} was answered HTTP {answer.status_code}.",
        )
        return str(answer.json()["error"]["message"])

    def _remove(self, endpoint: str) -> None:
        call(self._session, "DELETE", f"{self._api}/webhooks/{endpoint}")

    def close(self) -> None:
        """Take the endpoint back and stop listening."""
        try:
            if self._endpoint:
                self._remove(self._endpoint)
        finally:
            self.receiver.close()
            self._session.close()

    def place(
        self, po: str, sku: str, quantity: int, ship_by: date, key: str = ""
    ) -> tuple[int, dict[str, Any], bool]:
        """POST an order; returns HTTP status, body, and whether it was a replay."""
        answer = call(
            self._session,
            "POST",
            f"{self._api}/orders",
            headers={"Idempotency-Key": key or secrets.token_hex(12)},
            json={
                "po_number": po,
                "ship_by": ship_by.isoformat(),
                "lines": [{"sku": sku, "quantity": quantity}],
            },
        )
        check(
            answer.headers.get("Content-Type", "").startswith("application/json"),
            f"POST /orders answered HTTP {answer.status_code} and no JSON.",
        )
        return (
            answer.status_code,
            answer.json(),
            answer.headers.get("Idempotency-Replayed") == "true",
        )

    def order(self, order_id: str) -> dict[str, Any]:
        """The order as the buyer sees it now."""
        found: dict[str, Any] = self.get(f"/orders/{order_id}")
        return found

    def told(self, order_id: str) -> list[str]:
        """Events that came about an order by webhook. Raises for a bad signature."""
        about = self.receiver.about(order_id)
        for one in about:
            check(not one.problem, f"A webhook {one.event} came, but {one.problem}.")
        return [one.event for one in about]
