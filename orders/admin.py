"""Back office: buyers, the catalogue and stock."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from orders.enums import ComponentKind
from orders.models import BomLine, Buyer, Component, Product, StockMove
from orders.services.stock import MAX_MOVE, on_hand, receive_stock
from vrp.accounts.enums import Permission
from vrp.console.office_admin import TenantForm, TenantInline, TenantModelAdmin
from vrp.events.services import Actor


class CatalogueAdmin(TenantModelAdmin):
    """Changed by those who may edit the catalogue."""

    edit_permission = Permission.EDIT_CATALOGUE


@admin.register(Buyer)
class BuyerAdmin(CatalogueAdmin):
    list_display = ["name", "code", "currency", "terms_days", "email"]
    search_fields = ["name", "code", "email"]
    fields = ["code", "name", "currency", "terms_days", "email"]


class BomInline(TenantInline):
    """What goes into one of it."""

    model = BomLine
    edit_permission = Permission.EDIT_CATALOGUE
    fields = ["component", "quantity"]
    verbose_name = "part"
    verbose_name_plural = "bill of materials"


class ProductBom(BomInline):
    fk_name = "product"


class ComponentBom(BomInline):
    fk_name = "parent"
    verbose_name_plural = "bill of materials (of parts put together at headquarters)"


@admin.register(Component)
class ComponentAdmin(CatalogueAdmin):
    list_display = ["code", "name", "kind", "skill", "piece_rate_minor", "is_active"]
    list_select_related = ["skill"]
    list_filter = ["kind", "is_active", "family", "material"]
    search_fields = ["code", "name", "family"]
    fields = [
        "code", "name", "kind", "family", "material", "motif", "difficulty", "skill",
        "min_level", "piece_rate_minor", "standard_minutes", "tolerance", "is_active",
    ]  # fmt: skip
    inlines = [ComponentBom]


@admin.register(Product)
class ProductAdmin(CatalogueAdmin):
    list_display = [
        "sku",
        "name",
        "collection",
        "price_minor",
        "currency",
        "retired_on",
    ]
    list_filter = ["family", "collection"]
    search_fields = ["sku", "name", "collection"]
    fields = [
        "sku", "name", "family", "collection", "price_minor", "currency", "lead_days",
        "retired_on",
    ]  # fmt: skip
    inlines = [ProductBom]


class StockForm(TenantForm):
    """Says what is wrong before the service would."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        component, quantity = given.get("component"), given.get("quantity")
        if component is None or quantity is None:
            return given
        if component.kind != ComponentKind.BOUGHT:
            raise ValidationError({"component": "Only bought-in parts have stock."})
        if quantity == 0 or abs(quantity) > MAX_MOVE:
            raise ValidationError({"quantity": f"Say 1 to {MAX_MOVE:,} pieces."})
        there = on_hand(component)
        if there + quantity < 0:
            raise ValidationError({"quantity": f"Only {there:,} are in the store."})
        return given


@admin.register(StockMove)
class StockMoveAdmin(CatalogueAdmin):
    """What came in and went out. A wrong line is put right by another one."""

    form = StockForm
    list_display = ["at", "component", "quantity", "reason"]
    list_select_related = ["component"]
    search_fields = ["component__code", "component__name", "reason"]
    fields = ["component", "quantity", "reason"]
    ordering = ["-id"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        move = receive_stock(
            component=obj.component,
            quantity=obj.quantity,
            reason=obj.reason,
            actor=Actor.user(request.user),
        )
        obj.pk = move.pk

    def record_change(
        self, request: HttpRequest, obj: Any, names: list[str], change: bool
    ) -> None:
        """The service recorded it."""
