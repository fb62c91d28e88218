"""Console routes of this room, below ``/ops/``."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
