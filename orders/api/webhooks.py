"""Webhook endpoints of a buyer, and what became of each delivery."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from orders.api.base import BuyerView, asked, checked
from orders.api.serializers import (
    DeliveryQuery,
    DeliverySerializer,
    MadeWebhookSerializer,
    NewWebhookSerializer,
    PageQuery,
    WebhookSerializer,
)
from orders.enums import Scope
from orders.models import WebhookDelivery, WebhookEndpoint
from orders.services.webhooks import (
    register_endpoint,
    remove_endpoint,
    replay_delivery,
    rotate_secret,
)
from vrp.api.pagination import Page, envelope, paginate
from vrp.api.schema import BODY, RETRY_AFTER, answers, page_of
from vrp.errors import NotFound

NEW_WEBHOOK = OpenApiExample(
    "All that matters to a warehouse",
    value={
        "url": "https://erp.example.com/hooks/vrp",
        "events": ["order.ready", "order.shipped"],
    },
    request_only=True,
)


def _after(rows: QuerySet[Any], position: list[Any]) -> QuerySet[Any]:
    (pk,) = position
    if not isinstance(pk, int) or not 0 < pk < 2**63:
        raise ValueError("not of our making")
    return rows.filter(pk__lt=pk)


def newest_first(rows: QuerySet[Any], query: dict[str, Any]) -> Page:
    """One page by descending id."""
    return paginate(
        rows.order_by("-pk"),
        cursor=query.get("cursor", ""),
        size=query["page_size"],
        after=_after,
        position=lambda row: [row.pk],
    )


class WebhookView(BuyerView):
    """Finds the endpoint named in the path among the buyer's own."""

    def endpoint(self, webhook_id: UUID) -> WebhookEndpoint:
        found = WebhookEndpoint.objects.filter(
            buyer=self.buyer, public_id=webhook_id
        ).first()
        if found is None:
            raise NotFound("There is nothing here under that id.")
        return found


class WebhookList(WebhookView):
    scopes: ClassVar = {"GET": Scope.WEBHOOKS_READ, "POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="list_webhooks",
        summary="List your webhook endpoints",
        tags=["webhooks"],
        parameters=[PageQuery, RETRY_AFTER],
        responses=answers({200: page_of(WebhookSerializer)}, "malformed", "invalid"),
    )
    def get(self, request: Request) -> Response:
        query = asked(PageQuery, request)
        mine = WebhookEndpoint.objects.filter(buyer=self.buyer)
        page = newest_first(mine, query)
        rows = WebhookSerializer(page.rows, many=True).data
        return Response(envelope(request, page, rows))

    @extend_schema(
        operation_id="register_webhook",
        summary="Register a webhook endpoint",
        description="The answer carries the secret, once. The address must be https and "
        "public. A buyer has at most 10.",
        tags=["webhooks"],
        parameters=[RETRY_AFTER],
        request=NewWebhookSerializer,
        examples=[NEW_WEBHOOK],
        responses=answers({201: MadeWebhookSerializer}, *BODY, "limit_reached"),
    )
    def post(self, request: Request) -> Response:
        wanted = checked(NewWebhookSerializer, request.data)
        endpoint, secret = register_endpoint(
            buyer=self.buyer,
            url=wanted["url"],
            events=wanted.get("events", []),
            actor=self.actor,
        )
        made = MadeWebhookSerializer(endpoint, context={"secret": secret}).data
        place = {"Location": f"/api/v1/webhooks/{endpoint.public_id}"}
        return Response(made, status=201, headers=place)


class WebhookDetail(WebhookView):
    scopes: ClassVar = {"GET": Scope.WEBHOOKS_READ, "DELETE": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="get_webhook",
        summary="Read a webhook endpoint",
        tags=["webhooks"],
        parameters=[RETRY_AFTER],
        responses=answers({200: WebhookSerializer}, "not_found"),
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        return Response(WebhookSerializer(self.endpoint(webhook_id)).data)

    @extend_schema(
        operation_id="delete_webhook",
        summary="Delete a webhook endpoint",
        description="Its deliveries go with it; what was not sent yet is never sent.",
        tags=["webhooks"],
        parameters=[RETRY_AFTER],
        responses=answers({204: OpenApiResponse(description="Gone.")}, "not_found"),
    )
    def delete(self, request: Request, webhook_id: UUID) -> Response:
        remove_endpoint(endpoint=self.endpoint(webhook_id), actor=self.actor)
        return Response(status=204)


class SecretRotate(WebhookView):
    scopes: ClassVar = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="rotate_webhook_secret",
        summary="Replace the secret of an endpoint",
        description="The answer carries the new secret, once. For 24 hours both sign: "
        "`webhook-signature` holds two signatures, separated by a space.",
        tags=["webhooks"],
        parameters=[RETRY_AFTER],
        request=None,
        responses=answers({200: MadeWebhookSerializer}, "not_found"),
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        endpoint, secret = rotate_secret(
            endpoint=self.endpoint(webhook_id), actor=self.actor
        )
        context = {"secret": secret}
        return Response(MadeWebhookSerializer(endpoint, context=context).data)


class DeliveryList(WebhookView):
    scopes: ClassVar = {"GET": Scope.WEBHOOKS_READ}

    @extend_schema(
        operation_id="list_deliveries",
        summary="List what was sent to an endpoint",
        description="Newest first, with the outcome of the last attempt.",
        tags=["webhooks"],
        parameters=[DeliveryQuery, RETRY_AFTER],
        responses=answers(
            {200: page_of(DeliverySerializer)}, "not_found", "malformed", "invalid"
        ),
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        query = asked(DeliveryQuery, request)
        rows = WebhookDelivery.objects.filter(endpoint=self.endpoint(webhook_id))
        if "state" in query:
            rows = rows.filter(state=query["state"])
        page = newest_first(rows, query)
        data = DeliverySerializer(page.rows, many=True).data
        return Response(envelope(request, page, data))


class DeliveryReplay(WebhookView):
    scopes: ClassVar = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="replay_delivery",
        summary="Send a delivery again",
        description="At once and under the same `webhook-id`, with all retries anew.",
        tags=["webhooks"],
        parameters=[RETRY_AFTER],
        request=None,
        responses=answers({202: DeliverySerializer}, "not_found", "illegal_move"),
    )
    def post(self, request: Request, webhook_id: UUID, delivery_id: UUID) -> Response:
        row = WebhookDelivery.objects.filter(
            endpoint=self.endpoint(webhook_id), public_id=delivery_id
        ).first()
        if row is None:
            raise NotFound("There is nothing here under that id.")
        row = replay_delivery(delivery=row, actor=self.actor)
        return Response(DeliverySerializer(row).data, status=202)
