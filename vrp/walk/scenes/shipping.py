"""Bought-in parts come in, the necklaces are put together, packed and shipped."""

from vrp.walk.pages import Form, Page
from vrp.walk.problem import NotRight, check
from vrp.walk.tour import Tour

SHIP = r"/ops/orders/\d+/ship/"
ADVANCE = r"/ops/lines/\d+/advance/"
STOCK = r"/ops/orders/\d+/stock/"
STAGES = ("assembled", "finished", "packed")
# Parts are received so often before the tour gives up.
DELIVERIES = 30
EVENTS = ["order.placed", "order.in_production", "order.ready", "order.shipped"]


def order_is_shipped(tour: Tour) -> None:
    """From the last part to the buyer's webhook."""
    tour.show.chapter("9. The order is put together and shipped")
    _buy_what_is_short(tour)
    _assemble(tour)
    _ship(tour)
    if tour.webhook:
        _buyer_is_told(tour)


def _buy_what_is_short(tour: Tour) -> None:
    """Receive bought-in parts until the order lacks none.

    What comes in is promised to the orders that ship first, so ours may have to wait for
    a second delivery.
    """
    keeper = tour.person("planner")
    for _ in range(DELIVERIES):
        shortages = tour.buyer.order(tour.order_id)["shortages"]
        if not shortages:
            tour.show.step(keeper.name, "sees that no bought-in part is short.")
            return
        for part in shortages:
            form = _stock_form(keeper.open(tour.page), part["part"])
            keeper.submit(
                form, {"quantity": str(part["short"]), "reason": "Bought for the tour"}
            )
            tour.show.step(
                keeper.name,
                f"receives {part['short']} {part['part']} into the store; what ships "
                "first gets them.",
            )
    raise NotRight(f"After {DELIVERIES} deliveries these are short: {shortages}")


def _stock_form(page: Page, part: str) -> Form:
    """The form that receives this part."""
    for form in page.forms(STOCK):
        if part in form.node.text or part in form.node.row.text:
            return form
    return page.form(STOCK)


def _assemble(tour: Tour) -> None:
    """One step at a time; each button is pressed twice."""
    show, keeper = tour.show, tour.person("qc")
    for stage in STAGES:
        form = _own(tour, keeper.open("/ops/assembly/"), ADVANCE)
        pressed = [value for name, value, _ in form.buttons if name == "stage"]
        check(pressed == [stage], f"The next step offered is {pressed}, not {stage}.")
        page = keeper.submit(form, {"stage": stage})
        check(stage in " ".join(page.said).lower(), f"It said: {page.said}")
        show.step(keeper.name, f"marks {tour.quantity} necklaces as {stage}.")


def _own(tour: Tour, page: Page, pattern: str) -> Form:
    """This order's form on the board."""
    for form in page.forms(pattern):
        node = form.node
        while node.parent is not None and "tile" not in node.attrs.get("class", ""):
            node = node.parent
        if tour.po in node.text:
            return form
    raise NotRight(f"The assembly page offers nothing for {tour.po}.")


def _ship(tour: Tour) -> None:
    show, keeper = tour.show, tour.person("qc")
    tracking = f"TRACK-{tour.po}"[:80]
    form = _own(tour, keeper.open("/ops/assembly/"), SHIP)
    keeper.repeat(
        form, {"carrier": "DHL Express", "tracking": tracking, "cartons": "2"}
    )
    order = tour.buyer.order(tour.order_id)
    shipment = order["shipment"] or {}
    check(
        order["state"] == "shipped" and shipment.get("tracking") == tracking,
        f"The API shows {order['state']} and the shipment {shipment}.",
    )
    show.step(keeper.name, f"ships 2 cartons with DHL Express, {tracking}.")
    show.step(tour.buyer.name, "reads by API: shipped, with the tracking number.")


def _buyer_is_told(tour: Tour) -> None:
    buyer = tour.buyer

    def told() -> list[str]:
        events = buyer.told(tour.order_id)
        return events if set(EVENTS) <= set(events) else []

    events = tour.wait("waiting for the webhooks", told)
    check(
        sorted(events) == sorted(EVENTS),
        f"Webhooks came that nobody expected: {events}",
    )
    tour.show.step(
        buyer.name,
        "was told by webhook, each with a valid signature: " + ", ".join(events) + ".",
    )
