"""All routes, by who uses them: buyers, phones, wallet, ops staff, monitoring."""

from django.urls import include, path

urlpatterns = [
    path("", include("vrp.ops.urls")),
    path("api/", include("orders.api.urls")),
    path("phone/", include("phone.routes")),
    path("pay/", include("payments.routes")),
    path("ops/", include("vrp.accounts.urls")),
    path("ops/", include("vrp.console.urls")),
    path("ops/", include("vrp.imports.urls")),
    path("ops/", include("artisans.urls")),
    path("ops/", include("orders.urls")),
    path("ops/", include("qc.urls")),
    path("ops/", include("matching.urls")),
    path("ops/", include("payments.urls")),
    path("ops/", include("phone.urls")),
]
handler400 = "vrp.api.errors.bad_request"
handler403 = "vrp.api.errors.forbidden"
handler404 = "vrp.api.errors.not_found"
handler500 = "vrp.api.errors.server_error"
