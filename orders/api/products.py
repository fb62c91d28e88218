"""The catalogue. Answers carry an ETag, so that a daily look costs a 304."""

import hashlib
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from orders.api import reading
from orders.api.base import BuyerView, asked
from orders.api.serializers import ProductQuery, ProductSerializer
from orders.enums import Scope
from orders.models import Product
from vrp.api.pagination import envelope, paginate
from vrp.api.schema import RETRY_AFTER, answers, header, page_of
from vrp.errors import NotFound

ETAG = header("ETag", "Send it back as If-None-Match.", on=[200, 304])
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of your copy; 304 without a body if it is still true.",
)
UNCHANGED = OpenApiResponse(description="Your copy is still true.")


def _after(rows: QuerySet[Product], position: list[Any]) -> QuerySet[Product]:
    (sku,) = position
    if not isinstance(sku, str) or not sku.isprintable():
        raise ValueError("not of our making")
    return rows.filter(sku__gt=sku)


def tagged(request: Request, value: Any) -> HttpResponse:
    """The value as JSON with its ETag, or 304 if the client has it already."""
    content = JSONRenderer().render(value)
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    response = HttpResponse(content, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return get_conditional_response(request, etag=etag, response=response) or response


class ProductList(BuyerView):
    scopes: ClassVar = {"GET": Scope.PRODUCTS_READ}

    @extend_schema(
        operation_id="list_products",
        summary="List the catalogue",
        description="By SKU. Follow `next` until it is null.",
        tags=["products"],
        parameters=[ProductQuery, IF_NONE_MATCH, ETAG, RETRY_AFTER],
        responses=answers(
            {200: page_of(ProductSerializer), 304: UNCHANGED}, "malformed", "invalid"
        ),
    )
    def get(self, request: Request) -> HttpResponse:
        query = asked(ProductQuery, request)
        page = paginate(
            reading.catalogue(retired=query["retired"]),
            cursor=query.get("cursor", ""),
            size=query["page_size"],
            after=_after,
            position=lambda row: [row.sku],
        )
        rows = ProductSerializer(page.rows, many=True).data
        return tagged(request, envelope(request, page, rows))


class ProductDetail(BuyerView):
    scopes: ClassVar = {"GET": Scope.PRODUCTS_READ}

    @extend_schema(
        operation_id="get_product",
        summary="Read a product",
        description="Retired products stay readable.",
        tags=["products"],
        parameters=[IF_NONE_MATCH, ETAG, RETRY_AFTER],
        responses=answers({200: ProductSerializer, 304: UNCHANGED}, "not_found"),
    )
    def get(self, request: Request, sku: str) -> HttpResponse:
        # PostgreSQL refuses a NUL, which an address may carry as %00.
        product = None
        if sku.isprintable():
            product = reading.catalogue(retired=True).filter(sku=sku).first()
        if product is None:
            raise NotFound("There is no such product.")
        return tagged(request, ProductSerializer(product).data)
