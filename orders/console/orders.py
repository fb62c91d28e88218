"""Orders: the list, the whole life of one, a new one, cancelling, stock that came in."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from matching.enums import PLAN_LIVE
from matching.models import Plan, PlanWorkOrder
from orders.console import life
from orders.console.forms import OrderForm
from orders.enums import OrderState
from orders.models import Component, Order
from orders.queries import (
    OPEN_STATES,
    named,
    orders_at_risk,
    parts_to_buy,
    unplanned_orders,
    with_progress,
)
from orders.services.placing import cancel_order, place_order
from orders.services.stock import receive_stock
from payments.queries import order_pay
from vrp.accounts.enums import Permission
from vrp.accounts.permissions import require
from vrp.console import formats
from vrp.console.guard import member
from vrp.console.paging import page_of
from vrp.console.templatetags import ui
from vrp.console.today import Card, waits_for
from vrp.digits import whole_number
from vrp.errors import DomainError, Invalid
from vrp.events.services import Actor
from vrp.text import typed

TABS = [
    ("open", "Open"),
    (OrderState.PLACED, "New"),
    (OrderState.IN_PRODUCTION, "In production"),
    (OrderState.READY, "Ready"),
    (OrderState.SHIPPED, "Shipped"),
    (OrderState.CANCELLED, "Cancelled"),
    ("all", "All"),
]
SORTS = {"due": ("ship_by", "id"), "newest": ("-number",)}


@require_safe
@member
def order_list(request: HttpRequest) -> HttpResponse:
    """GET: ``state`` (open, all or an order's state), ``q`` (PO number, buyer), ``sort``
    (due: what ships first; newest)."""
    state = request.GET.get("state", "open")
    state = state if state in dict(TABS) else "open"
    closed = state in (OrderState.SHIPPED, OrderState.CANCELLED, "all")
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "newest" if closed else "due"
    q = request.GET.get("q", "").replace("\x00", "").strip()[:60]
    rows = Order.objects.filter(named(q)).select_related("buyer")
    if state == "open":
        rows = rows.filter(state__in=OPEN_STATES)
    elif state != "all":
        rows = rows.filter(state=state)
    page = page_of(request, with_progress(rows), order=SORTS[sort])
    context = {
        "page": page,
        "tabs": TABS,
        "state": state,
        "sort": sort,
        "q": q,
        "counts": _counts(),
        "today": timezone.localdate(),
        "risk": orders_at_risk(timezone.localdate()).count(),
        "may_place": request.grant.may(Permission.PLACE_ORDERS),  # type: ignore[attr-defined]
        "nothing_yet": not page.rows and not Order.objects.exists(),
    }
    return render(request, "orders/orders.html", context)


def _counts() -> dict[str, int]:
    rows = Order.objects.filter(state__in=OPEN_STATES).order_by()
    found = dict(rows.values_list("state").annotate(count=Count("id")))
    return {state.value: found.get(state, 0) for state in OPEN_STATES}


@require_safe
@member
def order_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole life of an order. Forms on the page: plan and re-offer (matching),
    ``.../cancel/`` (``reason``), ``.../stock/`` (``component``, ``quantity``, ``reason``,
    ``on_hand`` as shown)."""
    order = _order(pk)
    seen = life.order_life(order)
    grant = request.grant  # type: ignore[attr-defined]
    is_open = order.state in OPEN_STATES
    plans = list(
        Plan.objects.filter(rows__work_order__line__order=order)
        .distinct()
        .order_by("-number")[:5]
    )
    context = {
        "order": order,
        "life": seen,
        "steps": life.steps(seen),
        "groups": life.by_component(seen),
        "hidden_jobs": max(len(seen.jobs) - life.SHOWN_JOBS, 0),
        "events": life.happened(seen),
        "facts": _facts(order),
        "plans": plans,
        "live_plan": next((one for one in plans if one.state in PLAN_LIVE), None),
        "at_risk": _at_risk(order),
        "may_plan": is_open and bool(seen.short) and grant.may(Permission.PLAN),
        "may_cancel": order.state in (OrderState.PLACED, OrderState.IN_PRODUCTION)
        and grant.may(Permission.PLACE_ORDERS),
        "may_stock": is_open and grant.may(Permission.EDIT_CATALOGUE),
    }
    return render(request, "orders/order.html", context)


def _order(pk: int) -> Order:
    rows = Order.objects.select_related("buyer", "tenant")
    order = rows.filter(pk=pk).first()
    if order is None:
        raise Http404
    return order


def _at_risk(order: Order) -> bool:
    making = order.state in (OrderState.PLACED, OrderState.IN_PRODUCTION)
    return making and (order.ship_by - timezone.localdate()).days <= 7


def _facts(order: Order) -> list[dict[str, Any]]:
    pay = order_pay(order)
    address = [str(value) for value in order.ship_to.values() if value]
    rows = [
        {"label": "Buyer", "value": order.buyer.name},
        {"label": "Ship by", "value": ui.when(order.ship_by)},
        {"label": "Placed", "value": ui.when(order.placed_at)},
        {"label": "Channel", "value": order.get_channel_display().capitalize()},
        {"label": "Our number", "value": f"#{order.number}"},
        {
            "label": "Earned by workshops",
            "value": ui.money(pay.earned_minor, pay.currency),
            "note": f"{pay.pieces:,} pieces accepted",
        },
        {"label": "Of it paid", "value": ui.money(pay.paid_minor, pay.currency)},
    ]
    if address:
        rows.append({"label": "Ship to", "value": ", ".join(address)[:300]})
    if order.note:
        rows.append({"label": "Note", "value": order.note[:500]})
    return rows


@member
@require(Permission.PLACE_ORDERS)
def order_new(request: HttpRequest) -> HttpResponse:
    """POST ``buyer`` (id), ``po_number``, ``ship_by``, ``channel``, ``note``, and rows
    ``sku-0``, ``quantity-0``, ``sku-1`` ...; ``more`` asks for further rows."""
    form = OrderForm(request.POST or None)
    status = 200
    if request.method == "POST" and "more" in request.POST:
        form.add_rows()
    elif request.method == "POST":
        order = _place(request, form)
        if order:
            messages.success(request, f"{order.po_number} is placed. Plan it next.")
            return redirect("order", pk=order.pk)
        status = 422
    context = {"form": form, "products": form.products()}
    return render(request, "orders/order_new.html", context, status=status)


def _place(request: HttpRequest, form: OrderForm) -> Order | None:
    if not form.is_valid():
        return None
    given = form.cleaned_data
    try:
        return place_order(
            tenant=request.tenant,  # type: ignore[attr-defined]
            buyer=given["buyer"],
            po_number=given["po_number"],
            lines=form.line_inputs(),
            ship_by=given["ship_by"],
            channel=given["channel"],
            note=given["note"],
            actor=Actor.user(request.user),
        )
    except DomainError as error:
        form.take_error(error)
        return None


@require_POST
@member
@require(Permission.PLACE_ORDERS)
def order_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """POST ``reason``: cancel an order that no workshop works on."""
    order = _order(pk)
    try:
        reason = reason_of(request)
        cancel_order(order=order, actor=Actor.user(request.user), reason=reason)
    except DomainError as error:
        messages.error(request, f"{order.po_number} is not cancelled: {error.message}")
    else:
        messages.success(
            request, f"{order.po_number} is cancelled; its parts are free again."
        )
    return redirect("order", pk=pk)


def reason_of(request: HttpRequest) -> str:
    """The reason a person typed; ``Invalid`` without one."""
    reason = typed(request.POST.get("reason", ""), "reason", most=200)
    if not reason:
        raise Invalid("Say why.", field="reason")
    return reason


@require_POST
@member
@require(Permission.EDIT_CATALOGUE)
def order_stock(request: HttpRequest, pk: int) -> HttpResponse:
    """POST ``component`` (id), ``quantity``, ``reason``, ``on_hand`` (as the form showed):
    parts came in. A second click finds another stock and books nothing."""
    order = _order(pk)
    wanted = _number(request, "component")
    component = Component.objects.filter(pk=wanted or 0).first()
    if component is None:
        raise Http404
    try:
        quantity = _number(request, "quantity")
        if not quantity:
            raise Invalid("Say how many pieces came in, as a whole number.")
        receive_stock(
            component=component,
            quantity=quantity,
            reason=typed(request.POST.get("reason", ""), "reason", most=80)
            or "received",
            expected_on_hand=_number(request, "on_hand"),
            actor=Actor.user(request.user),
        )
    except DomainError as error:
        messages.error(request, f"Nothing was booked: {error.message}")
    else:
        messages.success(request, f"{quantity:,} x {component.code} are in the store.")
    return redirect("order", pk=order.pk)


def _number(request: HttpRequest, name: str) -> int | None:
    return whole_number(request.POST.get(name, ""))


@waits_for(Permission.PLACE_ORDERS)
def orders_wait(request: HttpRequest) -> list[Card]:
    """Orders at risk, and new ones that nobody plans: the most urgent is named."""
    risky = orders_at_risk(timezone.localdate())
    planned = PlanWorkOrder.objects.filter(
        plan__state__in=PLAN_LIVE, work_order__line__order=OuterRef("pk")
    )
    fresh = unplanned_orders().exclude(Exists(planned))
    return [
        _card("Orders at risk", risky, "/ops/orders/?sort=due", "lacks parts", "bad"),
        _card("New orders without a plan", fresh, "/ops/orders/?state=placed"),
    ]


def _card(
    title: str, rows: QuerySet[Order], url: str, why: str = "", tone: str = "waiting"
) -> Card:
    """A card that names the order that ships first; alone, it leads straight there."""
    count = rows.count()
    first = rows.order_by("ship_by", "id").first() if count else None
    if first is None:
        return Card(title, 0, "", url, tone)
    lines = first.lines.select_related("product").order_by("number")[:2]
    what = ", ".join(f"{line.quantity:,} x {line.product.sku}" for line in lines)
    day = formats.relative_day(first.ship_by, today=timezone.localdate())
    words = [f"{first.po_number}: {what}", why, f"ships {day}"]
    if count == 1:
        url = f"/ops/orders/{first.pk}/"
    return Card(title, count, ", ".join(word for word in words if word), url, tone)


@waits_for(Permission.EDIT_CATALOGUE)
def parts_wait(request: HttpRequest) -> list[Card]:
    """Bought-in parts that orders lack."""
    missing = parts_to_buy()
    words = ", ".join(f"{pieces:,} {code}" for code, pieces in missing[:3])
    detail = f"{words}, ..." if len(missing) > 3 else words
    return [Card("Parts to buy", len(missing), detail, "/ops/orders/", tone="warn")]
