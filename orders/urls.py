"""Console routes of this room, below ``/ops/``."""

from django.urls import URLPattern, path

from orders.console import assembly, deliveries

# Deliveries and assembly
FLOOR: list[URLPattern] = [
    path("deliveries/", deliveries.delivery_list, name="deliveries"),
    path("deliveries/walk-in/", deliveries.walk_in, name="walk-in"),
    path("deliveries/<int:pk>/", deliveries.delivery_page, name="delivery"),
    path(
        "deliveries/<int:pk>/cancel/",
        deliveries.delivery_cancel,
        name="delivery-cancel",
    ),
    path("assembly/", assembly.board, name="assembly"),
    path("lines/<int:pk>/advance/", assembly.line_advance, name="line-advance"),
    path("orders/<int:pk>/ship/", assembly.order_ship, name="order-ship"),
]

urlpatterns: list[URLPattern] = [*FLOOR]
