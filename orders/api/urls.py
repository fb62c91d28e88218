"""Routes for other systems."""

from django.urls import include, path

from orders.api import docs, orders, products, webhooks

v1 = [
    path("orders", orders.OrderList.as_view()),
    path("orders/<uuid:order_id>", orders.OrderDetail.as_view()),
    path("orders/<uuid:order_id>/cancel", orders.OrderCancel.as_view()),
    path("products", products.ProductList.as_view()),
    path("products/<path:sku>", products.ProductDetail.as_view()),
    path("webhooks", webhooks.WebhookList.as_view()),
    path("webhooks/<uuid:webhook_id>", webhooks.WebhookDetail.as_view()),
    path("webhooks/<uuid:webhook_id>/rotate-secret", webhooks.SecretRotate.as_view()),
    path("webhooks/<uuid:webhook_id>/deliveries", webhooks.DeliveryList.as_view()),
    path(
        "webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/replay",
        webhooks.DeliveryReplay.as_view(),
    ),
    path("openapi.json", docs.openapi),
]
urlpatterns = [
    path("v1/", include(v1)),
    path("docs/", docs.page),
]
