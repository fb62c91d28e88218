"""Console routes of the ground, below ``/ops/``."""

from django.contrib import admin
from django.urls import path

from vrp.console import views

urlpatterns = [
    path("", views.today, name="today"),
    path("tenant/", views.tenant, name="switch-tenant"),
    path("styleguide/", views.styleguide, name="styleguide"),
    path("office/login/", views.office_sign_in),
    path("office/password_change/", views.office_password),
    path("office/", admin.site.urls),
]
