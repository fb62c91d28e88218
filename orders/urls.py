"""Console routes of this room, below ``/ops/``."""

from django.urls import URLPattern, path

from orders.console import assembly, deliveries, jobs, orders

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

# Orders and jobs
OFFICE: list[URLPattern] = [
    path("orders/", orders.order_list, name="orders"),
    path("orders/new/", orders.order_new, name="order-new"),
    path("orders/<int:pk>/", orders.order_page, name="order"),
    path("orders/<int:pk>/cancel/", orders.order_cancel, name="order-cancel"),
    path("orders/<int:pk>/stock/", orders.order_stock, name="order-stock"),
    path("jobs/", jobs.job_list, name="jobs"),
    path("jobs/<int:pk>/", jobs.job_page, name="job"),
    path("jobs/<int:pk>/withdraw/", jobs.job_withdraw, name="job-withdraw"),
    path("jobs/<int:pk>/close-short/", jobs.job_close_short, name="job-close-short"),
]

urlpatterns: list[URLPattern] = [*FLOOR, *OFFICE]
