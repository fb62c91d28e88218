"""Orders: place, list, read, cancel."""

import json
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from orders.api import reading
from orders.api.base import BuyerView, asked, checked
from orders.api.idempotency import do_once
from orders.api.serializers import (
    CancelSerializer,
    NewOrderSerializer,
    OrderQuery,
    OrderSerializer,
    OrderSummarySerializer,
)
from orders.enums import Scope
from orders.models import Order
from orders.services.placing import LineInput, cancel_order, place_order
from vrp.api.pagination import Page, envelope, paginate
from vrp.api.schema import BODY, RETRY_AFTER, answers, header, page_of
from vrp.errors import NotFound

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
    OpenApiParameter.HEADER,
    required=True,
    description="1 to 255 visible ASCII characters, new for every new order. The same key "
    "and body within 24 hours: the same answer, nothing is done twice.",
    examples=[OpenApiExample("A key", value="5b0f6f4e-po-4500123")],
)
NEW_ORDER = OpenApiExample(
    "1,200 necklaces",
    value={
        "po_number": "NRD-4500123",
        "ship_by": "2027-03-29",
        "lines": [{"sku": "HPN-01", "quantity": 1200}],
    },
    request_only=True,
)


def _after(rows: QuerySet[Order], position: list[Any]) -> QuerySet[Order]:
    at, pk = position
    at = datetime.fromisoformat(at)
    if at.tzinfo is None or not isinstance(pk, int) or not 0 < pk < 2**63:
        raise ValueError("not of our making")
    # The first condition is implied; it lets the index on placed_at narrow the scan.
    return rows.filter(
        Q(placed_at__lt=at) | Q(placed_at=at, pk__lt=pk), placed_at__lte=at
    )


def page_of_orders(rows: QuerySet[Order], query: dict[str, Any]) -> Page:
    """One page, newest first."""
    for name, lookup in (
        ("state", "state"),
        ("po_number", "po_number"),
        ("placed_since", "placed_at__gte"),
    ):
        if name in query:
            rows = rows.filter(**{lookup: query[name]})
    if "updated_since" in query:
        rows = rows.filter(reading.changed_since(query["updated_since"]))
    return paginate(
        rows,
        cursor=query.get("cursor", ""),
        size=query["page_size"],
        after=_after,
        position=lambda row: [row.placed_at.isoformat(), row.pk],
    )


class OrderList(BuyerView):
    scopes: ClassVar = {"GET": Scope.ORDERS_READ, "POST": Scope.ORDERS_WRITE}

    @extend_schema(
        operation_id="list_orders",
        summary="List your orders",
        description="Newest first. Follow `next` until it is null. To keep in step, ask "
        "with `updated_since` set to a moment before your last call.",
        tags=["orders"],
        parameters=[OrderQuery, RETRY_AFTER],
        responses=answers(
            {200: page_of(OrderSummarySerializer)}, "malformed", "invalid"
        ),
    )
    def get(self, request: Request) -> Response:
        query = asked(OrderQuery, request)
        page = page_of_orders(reading.orders_of(self.buyer), query)
        rows = OrderSummarySerializer(page.rows, many=True).data
        return Response(envelope(request, page, rows))

    @extend_schema(
        operation_id="place_order",
        summary="Place an order",
        description="All or nothing. The order is exploded into its parts at once; what "
        "is short of bought-in parts comes back under `shortages`.",
        tags=["orders"],
        parameters=[
            IDEMPOTENCY_KEY,
            header("Location", "Path of the order.", on=[201]),
            header(
                "Idempotency-Replayed", "`true` if it was done before.", on=[201, 422]
            ),
            header("Retry-After", "Seconds to wait.", on=[409, 429, 503], text=int),
        ],
        request=NewOrderSerializer,
        examples=[NEW_ORDER],
        responses=answers(
            {201: OrderSerializer},
            *BODY,
            "idempotency_key_required",
            "idempotency_mismatch",
            "idempotency_in_progress",
            "duplicate_po",
        ),
    )
    def post(self, request: Request) -> HttpResponse:
        answer = do_once(request, self.key, self._place)
        if answer.status_code == 201:
            place = json.loads(answer.content)["id"]
            answer["Location"] = f"/api/v1/orders/{place}"
        return answer

    def _place(self) -> Response:
        wanted = checked(NewOrderSerializer, self.request.data)
        order = place_order(
            tenant=self.key.tenant,
            buyer=self.buyer,
            po_number=wanted["po_number"],
            lines=[LineInput(**line) for line in wanted["lines"]],
            ship_by=wanted["ship_by"],
            actor=self.actor,
            channel=wanted["channel"],
            ship_to=dict(wanted.get("ship_to") or {}),
            note=wanted.get("note", ""),
        )
        return _in_full(self, order.public_id, status=201)


class OrderDetail(BuyerView):
    scopes: ClassVar = {"GET": Scope.ORDERS_READ}

    @extend_schema(
        operation_id="get_order",
        summary="Read an order",
        description="With the progress of its lines, shortages, timeline and shipment.",
        tags=["orders"],
        parameters=[RETRY_AFTER],
        responses=answers({200: OrderSerializer}, "not_found"),
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        return _in_full(self, order_id)


class OrderCancel(BuyerView):
    scopes: ClassVar = {"POST": Scope.ORDERS_WRITE}

    @extend_schema(
        operation_id="cancel_order",
        summary="Cancel an order",
        description="Possible until a workshop holds an offer or a job of it. Cancelling "
        "a cancelled order changes nothing and answers 200.",
        tags=["orders"],
        parameters=[RETRY_AFTER],
        request=CancelSerializer,
        examples=[
            OpenApiExample(
                "A reason", value={"reason": "Season moved."}, request_only=True
            )
        ],
        responses=answers({200: OrderSerializer}, *BODY, "not_found", "illegal_move"),
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        wanted = checked(CancelSerializer, request.data)
        order = Order.objects.filter(buyer=self.buyer, public_id=order_id).first()
        if order is None:
            raise NotFound("There is nothing here under that id.")
        reason = wanted.get("reason") or "Cancelled by the buyer."
        cancel_order(order=order, actor=self.actor, reason=reason)
        return _in_full(self, order_id)


def _in_full(view: BuyerView, public_id: UUID, status: int = 200) -> Response:
    order = reading.order_in_full(view.buyer, public_id)
    if order is None:
        raise NotFound("There is nothing here under that id.")
    return Response(OrderSerializer(order).data, status=status)
