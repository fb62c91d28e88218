"""What goes in and comes out. Requests are strict; answers only ever gain fields."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orders.api import reading
from orders.enums import Channel, LineStage, OrderState, WebhookState
from orders.models import (
    Order,
    OrderLine,
    PartNeed,
    Product,
    Shipment,
    WebhookDelivery,
    WebhookEndpoint,
)
from orders.services.placing import MAX_LINES, MAX_QUANTITY
from orders.services.webhooks import EVENTS
from vrp.api.fields import (
    Day,
    Moment,
    MoneySerializer,
    QueryBoolean,
    QueryInteger,
    StrictInteger,
    StrictSerializer,
    StrictText,
    money,
)
from vrp.api.pagination import DEFAULT_SIZE, MAX_SIZE

# Nothing is planned further ahead; a date beyond it is a slip of the keyboard.
HORIZON = timedelta(days=3 * 365)


def utc(**kwargs: Any) -> serializers.DateTimeField:
    """A moment, always written in UTC (``2027-03-01T06:00:00Z``)."""
    return Moment(**kwargs)


class AddressSerializer(StrictSerializer):
    """Where the goods go."""

    name = StrictText(max_length=120)
    line1 = StrictText(max_length=160)
    line2 = StrictText(max_length=160, required=False, allow_blank=True)
    city = StrictText(max_length=80)
    region = StrictText(max_length=80, required=False, allow_blank=True)
    postal_code = StrictText(max_length=20, required=False, allow_blank=True)
    country = StrictText(
        max_length=2,
        pattern="^[A-Z]{2}$",
        wrong="Two capital letters, e.g. US.",
        help_text="ISO 3166-1 alpha-2, e.g. US",
    )


class NewLineSerializer(StrictSerializer):
    """One product. A SKU stands on one line only."""

    sku = StrictText(max_length=30, help_text="As in GET /api/v1/products.")
    quantity = StrictInteger(min_value=1, max_value=MAX_QUANTITY, help_text="Pieces.")


class NewOrderSerializer(StrictSerializer):
    """A purchase order."""

    po_number = StrictText(max_length=40, help_text="Your own number, used once.")
    ship_by = Day(help_text="The day the goods must leave, not in the past.")
    lines = serializers.ListField(
        child=NewLineSerializer(), min_length=1, max_length=MAX_LINES
    )
    channel = serializers.ChoiceField(
        choices=Channel.choices,
        default=Channel.WHOLESALE,
        help_text="white_label has a minimum of pieces a line.",
    )
    ship_to = AddressSerializer(required=False, allow_null=True)
    note = StrictText(max_length=2000, required=False, allow_blank=True, one_line=False)

    def validate_ship_by(self, value: date) -> date:
        if value > timezone.localdate() + HORIZON:
            raise serializers.ValidationError("More than three years ahead.")
        return value


class CancelSerializer(StrictSerializer):
    """Why the order is cancelled; the brand reads it."""

    reason = StrictText(max_length=500, required=False, one_line=False)


class ProductSerializer(serializers.ModelSerializer):
    """What can be ordered."""

    price = serializers.SerializerMethodField(help_text="Wholesale, one piece.")

    class Meta:
        model = Product
        fields = ["sku", "name", "family", "collection", "price", "lead_days"]
        fields += ["retired_on"]
        extra_kwargs = {
            "lead_days": {"help_text": "Usual days from order to shipment."},
            "retired_on": {"help_text": "Not orderable from this day on."},
        }

    @extend_schema_field(MoneySerializer)
    def get_price(self, product: Product) -> dict[str, str]:
        return money(product.price_minor, product.currency)


class LineSerializer(serializers.ModelSerializer):
    """One line and how far it is, in finished units."""

    sku = serializers.CharField(source="product.sku")
    name = serializers.CharField(source="product.name")
    unit_price = serializers.SerializerMethodField()
    amount = serializers.SerializerMethodField(help_text="quantity x unit_price")
    stage = serializers.ChoiceField(choices=LineStage.choices)
    accepted = serializers.SerializerMethodField(
        help_text="Units whose every made part a workshop has said yes to."
    )
    good = serializers.SerializerMethodField(
        help_text="Units whose every made part is made and passed inspection."
    )

    class Meta:
        model = OrderLine
        fields = ["number", "sku", "name", "quantity", "unit_price", "amount", "stage"]
        fields += ["accepted", "good"]

    @extend_schema_field(MoneySerializer)
    def get_unit_price(self, line: OrderLine) -> dict[str, str]:
        return money(line.unit_price_minor, self.context["currency"])

    @extend_schema_field(MoneySerializer)
    def get_amount(self, line: OrderLine) -> dict[str, str]:
        return money(line.quantity * line.unit_price_minor, self.context["currency"])

    def get_accepted(self, line: OrderLine) -> int:
        return reading.covered(line, "accepted")

    def get_good(self, line: OrderLine) -> int:
        return reading.covered(line, "good")


class ShortageSerializer(serializers.ModelSerializer):
    """A bought-in part of which too few are in stock for a line."""

    line = serializers.IntegerField(source="line.number")
    part = serializers.CharField(source="component.code")
    name = serializers.CharField(source="component.name")
    needed = serializers.IntegerField(source="quantity")
    short = serializers.IntegerField(source="shortage", help_text="Still to be bought.")

    class Meta:
        model = PartNeed
        fields = ["line", "part", "name", "needed", "reserved", "short"]


class HappenedSerializer(serializers.Serializer):
    """One thing that happened to the order or one of its lines."""

    event = serializers.ChoiceField(
        choices=[*reading.ORDER_EVENTS, *reading.LINE_EVENTS]
    )
    at = utc()
    line = serializers.IntegerField(allow_null=True, help_text="Number of the line.")
    stage = serializers.ChoiceField(
        choices=LineStage.choices, allow_null=True, help_text="With line.advanced."
    )


class ShipmentSerializer(serializers.ModelSerializer):
    """What left headquarters."""

    id = serializers.UUIDField(source="public_id")
    shipped_at = utc()

    class Meta:
        model = Shipment
        fields = ["id", "carrier", "tracking", "cartons", "shipped_at"]


class OrderSummarySerializer(serializers.ModelSerializer):
    """An order in a list."""

    id = serializers.UUIDField(source="public_id", help_text="Opaque.")
    state = serializers.ChoiceField(choices=OrderState.choices)
    channel = serializers.ChoiceField(choices=Channel.choices)
    total = serializers.SerializerMethodField(help_text="Sum of the lines' amounts.")
    line_count = serializers.IntegerField()
    placed_at = utc()
    updated_at = utc(help_text="When the state last changed.")

    class Meta:
        model = Order
        fields = ["id", "po_number", "state", "channel", "ship_by", "total"]
        fields += ["line_count", "placed_at", "updated_at"]

    @extend_schema_field(MoneySerializer)
    def get_total(self, order: Order) -> dict[str, str]:
        return money(order.total_minor, order.currency)  # type: ignore[attr-defined]


class OrderSerializer(OrderSummarySerializer):
    """An order in full."""

    promised_on = serializers.SerializerMethodField(
        help_text="The day it should leave us; null if cancelled."
    )
    ship_to = serializers.SerializerMethodField(help_text="As given; null if not.")
    lines = serializers.SerializerMethodField()
    shortages = serializers.SerializerMethodField(
        help_text="Bought-in parts that are still to be bought."
    )
    timeline = serializers.SerializerMethodField(help_text="Oldest first.")
    shipment = serializers.SerializerMethodField()

    class Meta(OrderSummarySerializer.Meta):
        fields = [*OrderSummarySerializer.Meta.fields, "promised_on", "ship_to", "note"]
        fields += ["lines", "shortages", "timeline", "shipment"]

    def get_promised_on(self, order: Order) -> date | None:
        return reading.promised_on(order)

    @extend_schema_field(AddressSerializer(allow_null=True))
    def get_ship_to(self, order: Order) -> dict[str, str] | None:
        if not order.ship_to:
            return None
        names = AddressSerializer().fields
        return {name: str(order.ship_to.get(name, "")) for name in list(names)}

    @extend_schema_field(LineSerializer(many=True))
    def get_lines(self, order: Order) -> Any:
        context = {"currency": order.currency}
        return LineSerializer(order.lines.all(), many=True, context=context).data

    @extend_schema_field(ShortageSerializer(many=True))
    def get_shortages(self, order: Order) -> Any:
        short = [
            need
            for line in order.lines.all()
            for need in line.part_needs.all()
            if need.shortage
        ]
        return ShortageSerializer(short, many=True).data

    @extend_schema_field(HappenedSerializer(many=True))
    def get_timeline(self, order: Order) -> Any:
        return HappenedSerializer(reading.timeline(order), many=True).data

    @extend_schema_field(ShipmentSerializer(allow_null=True))
    def get_shipment(self, order: Order) -> Any:
        first = next(iter(order.shipments.all()), None)
        return ShipmentSerializer(first).data if first else None


class NewWebhookSerializer(StrictSerializer):
    """An address of yours that wants to hear of changes."""

    url = StrictText(
        max_length=500,
        pattern="^https?://[!-~]+$",
        wrong="Give a full https:// address in ASCII (punycode, %-encoding).",
        help_text="https, public, no user or password.",
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EVENTS),
        required=False,
        max_length=len(EVENTS),
        help_text="Which events; left out or empty means all.",
    )


class WebhookSerializer(serializers.ModelSerializer):
    """A registered endpoint. Its secret is shown only when it is made."""

    id = serializers.UUIDField(source="public_id")
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EVENTS), help_text="Empty means all."
    )
    created_at = utc()
    disabled_at = utc(
        allow_null=True, help_text="Set when your server answered 410 Gone."
    )

    class Meta:
        model = WebhookEndpoint
        fields = ["id", "url", "events", "created_at", "disabled_at"]


class MadeWebhookSerializer(WebhookSerializer):
    """A new endpoint with its secret."""

    secret = serializers.SerializerMethodField(
        help_text="Keep it; it is shown this once. whsec_ and 32 bytes in base64."
    )

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]

    def get_secret(self, endpoint: WebhookEndpoint) -> str:
        return self.context["secret"]


class DeliverySerializer(serializers.ModelSerializer):
    """One event on its way to one endpoint."""

    id = serializers.UUIDField(source="public_id", help_text="The webhook-id header.")
    event = serializers.CharField(source="event_name")
    state = serializers.ChoiceField(choices=WebhookState.choices)
    response_status = serializers.IntegerField(
        allow_null=True, help_text="HTTP status of the last attempt, if any came."
    )
    next_attempt_at = serializers.SerializerMethodField()
    created_at = utc()
    delivered_at = utc(allow_null=True)

    class Meta:
        model = WebhookDelivery
        fields = ["id", "event", "state", "attempts", "response_status", "last_error"]
        fields += ["next_attempt_at", "created_at", "delivered_at", "payload"]

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_attempt_at(self, row: WebhookDelivery) -> str | None:
        if row.state != WebhookState.QUEUED:
            return None
        return utc().to_representation(row.due_at)


class PageQuery(serializers.Serializer):
    """Query parameters of every list."""

    cursor = StrictText(
        required=False,
        max_length=500,
        help_text="next_cursor of the page before; left out: the first page.",
    )
    page_size = QueryInteger(
        required=False, min_value=1, max_value=MAX_SIZE, default=DEFAULT_SIZE
    )


class OrderQuery(PageQuery):
    """Which orders."""

    state = serializers.ChoiceField(choices=OrderState.choices, required=False)
    po_number = StrictText(required=False, max_length=40)
    placed_since = utc(required=False, help_text="Placed then or later.")
    updated_since = utc(required=False, help_text="State changed then or later.")


class ProductQuery(PageQuery):
    """Which products."""

    retired = QueryBoolean(
        required=False, default=False, help_text="true: retired ones too."
    )


class DeliveryQuery(PageQuery):
    """Which deliveries."""

    state = serializers.ChoiceField(choices=WebhookState.choices, required=False)
