"""Routes for monitoring."""

from django.urls import path

from vrp.ops import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("handset/", views.handset, name="handset"),
    path("", views.root, name="root"),
]
