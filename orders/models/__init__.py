"""Buyers, the catalogue, orders, and the work they cause."""

from orders.models.buyers import (
    ApiKey,
    Buyer,
    IdempotencyRecord,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from orders.models.catalogue import BomLine, Component, Product, StockMove
from orders.models.orders import Order, OrderLine, PartNeed, Shipment
from orders.models.work import Delivery, DeliveryLine, Job, WorkOrder

__all__ = [
    "ApiKey",
    "BomLine",
    "Buyer",
    "Component",
    "Delivery",
    "DeliveryLine",
    "IdempotencyRecord",
    "Job",
    "Order",
    "OrderLine",
    "PartNeed",
    "Product",
    "Shipment",
    "StockMove",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WorkOrder",
]
