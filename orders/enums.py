"""States of orders and jobs, and the legal moves between them."""

from django.db.models import TextChoices


class ComponentKind(TextChoices):
    MADE = "made", "made by a workshop"
    BOUGHT = "bought", "bought in"
    ASSEMBLED = "assembled", "put together at headquarters"


class Channel(TextChoices):
    """Where an order comes from (facts A10)."""

    WHOLESALE = "wholesale", "wholesale"
    WHITE_LABEL = "white_label", "white label"
    WEB = "web", "own web shop"


class OrderState(TextChoices):
    PLACED = "placed", "placed"
    IN_PRODUCTION = "in_production", "in production"
    READY = "ready", "all parts in"
    SHIPPED = "shipped", "shipped"
    CANCELLED = "cancelled", "cancelled"


ORDER_MOVES: dict[str, frozenset[str]] = {
    OrderState.PLACED: frozenset(
        {OrderState.IN_PRODUCTION, OrderState.READY, OrderState.CANCELLED}
    ),
    OrderState.IN_PRODUCTION: frozenset({OrderState.READY, OrderState.CANCELLED}),
    # An appeal or a found fault can take parts away again.
    OrderState.READY: frozenset({OrderState.IN_PRODUCTION, OrderState.SHIPPED}),
    OrderState.SHIPPED: frozenset(),
    OrderState.CANCELLED: frozenset(),
}


class LineStage(TextChoices):
    """How far an order line is at headquarters."""

    WAITING = "waiting", "waiting for parts"
    PARTS_IN = "parts_in", "parts in"
    ASSEMBLED = "assembled", "assembled"
    FINISHED = "finished", "finished"
    PACKED = "packed", "packed"
    SHIPPED = "shipped", "shipped"


LINE_MOVES: dict[str, frozenset[str]] = {
    LineStage.WAITING: frozenset({LineStage.PARTS_IN}),
    LineStage.PARTS_IN: frozenset({LineStage.WAITING, LineStage.ASSEMBLED}),
    LineStage.ASSEMBLED: frozenset({LineStage.FINISHED}),
    LineStage.FINISHED: frozenset({LineStage.PACKED}),
    LineStage.PACKED: frozenset({LineStage.SHIPPED}),
    LineStage.SHIPPED: frozenset(),
}


class WorkOrderState(TextChoices):
    OPEN = "open", "open"
    DONE = "done", "done"
    CANCELLED = "cancelled", "cancelled"


class JobState(TextChoices):
    OFFERED = "offered", "offered"
    ACCEPTED = "accepted", "accepted"
    IN_PROGRESS = "in_progress", "in progress"
    DELIVERED = "delivered", "delivered"
    DONE = "done", "graded"
    DECLINED = "declined", "declined"
    LAPSED = "lapsed", "no answer in time"
    WITHDRAWN = "withdrawn", "withdrawn by us"


JOB_MOVES: dict[str, frozenset[str]] = {
    JobState.OFFERED: frozenset(
        {JobState.ACCEPTED, JobState.DECLINED, JobState.LAPSED, JobState.WITHDRAWN}
    ),
    JobState.ACCEPTED: frozenset(
        {JobState.IN_PROGRESS, JobState.DELIVERED, JobState.WITHDRAWN}
    ),
    JobState.IN_PROGRESS: frozenset({JobState.DELIVERED, JobState.WITHDRAWN}),
    # Pieces at rework keep a job here until every one has its final verdict.
    JobState.DELIVERED: frozenset({JobState.DONE}),
    JobState.DONE: frozenset(),
    JobState.DECLINED: frozenset(),
    JobState.LAPSED: frozenset(),
    JobState.WITHDRAWN: frozenset(),
}
# Offered or being worked on: a workshop has at most one such job of a work order.
JOB_OPEN = (
    JobState.OFFERED,
    JobState.ACCEPTED,
    JobState.IN_PROGRESS,
    JobState.DELIVERED,
)
# The workshop has work to do or to bring in.
JOB_AT_WORKSHOP = (JobState.ACCEPTED, JobState.IN_PROGRESS)


class DeclineReason(TextChoices):
    """Why an offer is declined. None of them touches the score (facts C13)."""

    BUSY = "busy", "too much work"
    PRICE = "price", "price too low"
    MATERIAL = "material", "no material or tools"
    FAMILY = "family", "family or farm"
    OTHER = "other", "another reason"


class DeliveryState(TextChoices):
    BOOKED = "booked", "booked"
    RECEIVED = "received", "received"
    CANCELLED = "cancelled", "cancelled"


DELIVERY_MOVES: dict[str, frozenset[str]] = {
    DeliveryState.BOOKED: frozenset({DeliveryState.RECEIVED, DeliveryState.CANCELLED}),
    DeliveryState.RECEIVED: frozenset(),
    DeliveryState.CANCELLED: frozenset(),
}


class WebhookState(TextChoices):
    QUEUED = "queued", "queued"
    SENDING = "sending", "sending"
    DELIVERED = "delivered", "delivered"
    FAILED = "failed", "given up"


class Scope(TextChoices):
    """What an API key may do. Each operation of the API needs exactly one of them."""

    ORDERS_READ = "orders:read", "read orders"
    ORDERS_WRITE = "orders:write", "place and cancel orders"
    PRODUCTS_READ = "products:read", "read products and prices"
    WEBHOOKS_READ = "webhooks:read", "read webhook endpoints and deliveries"
    WEBHOOKS_WRITE = "webhooks:write", "add, change and remove webhook endpoints"
