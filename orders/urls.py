"""Console routes of this room, below ``/ops/``."""

from django.urls import URLPattern, path

from orders.console import access, assembly, deliveries, jobs, orders

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

# What buyers' systems use
ACCESS: list[URLPattern] = [
    path("api-keys/", access.key_list, name="api-keys"),
    path("api-keys/new/", access.key_new, name="api-key-new"),
    path("api-keys/<int:pk>/", access.key_page, name="api-key"),
    path("api-keys/<int:pk>/rotate/", access.key_rotate, name="api-key-rotate"),
    path("api-keys/<int:pk>/revoke/", access.key_revoke, name="api-key-revoke"),
    path("webhooks/", access.webhook_list, name="webhooks"),
    path("webhooks/<int:pk>/", access.webhook_page, name="webhook"),
]

urlpatterns: list[URLPattern] = [*FLOOR, *OFFICE, *ACCESS]
