"""Console routes of this room, below ``/ops/``."""

from django.urls import URLPattern, path

from matching.console import cards, plans, starting

__all__ = ["cards"]

urlpatterns: list[URLPattern] = [
    path("plans/", plans.plan_list, name="plans"),
    path("plans/<int:pk>/", plans.plan_page, name="plan"),
    path("plans/<int:pk>/progress/", plans.plan_progress, name="plan-progress"),
    path("plans/<int:pk>/edit/", plans.plan_edit, name="plan-edit"),
    path("plans/<int:pk>/release/", plans.plan_release, name="plan-release"),
    path("plans/<int:pk>/discard/", plans.plan_discard, name="plan-discard"),
    path("plans/<int:pk>/why/<int:proposal>/", plans.plan_why, name="plan-why"),
    path(
        "plans/<int:pk>/passed-over/<int:work_order>/",
        plans.passed_over,
        name="plan-passed-over",
    ),
    path("orders/<int:pk>/plan/", starting.plan_order, name="plan-order"),
    path("orders/<int:pk>/reoffer/", starting.reoffer_order, name="reoffer-order"),
]
