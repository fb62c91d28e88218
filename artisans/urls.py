"""Console routes of this room, below ``/ops/``."""

from django.urls import URLPattern, path

from artisans.console import workshops

urlpatterns: list[URLPattern] = [
    path("workshops/", workshops.workshop_list, name="workshops"),
    path("workshops/<int:pk>/", workshops.workshop_page, name="workshop"),
    *(
        path(
            f"workshops/<int:pk>/{what}/",
            workshops.workshop_change,
            {"what": what},
            f"workshop-{what}",
        )
        for what in workshops.CHANGES
    ),
]
