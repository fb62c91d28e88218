"""The buyer's system places the order."""

from vrp.walk.problem import check
from vrp.walk.tour import SKU, Tour


def buyer_orders(tour: Tour) -> None:
    """Register a webhook, place the order, repeat it, see what is short."""
    show, buyer = tour.show, tour.buyer
    show.chapter("1. A buyer orders")
    product = buyer.get(f"/products/{SKU}")
    price = product["price"]
    show.step(
        buyer.name,
        f"reads the catalogue: {product['sku']} {product['name']}, "
        f"{price['currency']} {price['amount']} wholesale.",
    )
    if not tour.webhook:
        show.step(buyer.name, "cannot have webhooks sent to the inner network.")
        show.note(f"{buyer.receiver.url} is refused: {buyer.refused()}")
        _place(tour)
        return
    buyer.listen()
    show.step(buyer.name, f"registers a webhook at {buyer.receiver.url}.")
    _place(tour)
    told = tour.wait(
        "waiting for the webhook", lambda: buyer.told(tour.order_id), pause=0.2
    )
    check(told[0] == "order.placed", f"The first webhook was {told[0]}.")
    show.step(buyer.name, "is told order.placed by a webhook with a valid signature.")


def _place(tour: Tour) -> None:
    show, buyer, key = tour.show, tour.buyer, f"tour-{tour.po}"
    status, order, replayed = buyer.place(
        tour.po, SKU, tour.quantity, tour.ship_by, key
    )
    check(
        status == 201 and not replayed,
        f"Placing order {tour.po} answered HTTP {status}: {_words(order)}",
    )
    tour.order_id = order["id"]
    total = order["total"]
    show.step(
        buyer.name,
        f"places {tour.po} by API: {tour.quantity} {SKU} by {tour.ship_by}, "
        f"{total['currency']} {total['amount']}. HTTP 201, state {order['state']}.",
    )
    for part in order["shortages"]:
        show.note(f"{part['part']} {part['name']}: {part['short']} are short in stock.")
    status, again, replayed = buyer.place(
        tour.po, SKU, tour.quantity, tour.ship_by, key
    )
    check(
        status == 201 and replayed and again["id"] == tour.order_id,
        f"The same request again answered HTTP {status} and not the same order.",
    )
    show.step(
        buyer.name, "sends the same request again (same Idempotency-Key): same order."
    )
    status, refused, _ = buyer.place(tour.po, SKU, tour.quantity, tour.ship_by)
    check(status == 409, f"The same PO number under a new key answered HTTP {status}.")
    show.note(f"The same PO number under a new key is refused: {_words(refused)}")


def _words(body: dict[str, object]) -> str:
    error = body.get("error", body)
    if isinstance(error, dict):
        return str(error.get("message") or error)[:300]
    return str(error)[:300]
