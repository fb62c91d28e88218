"""Console routes of this room, below ``/ops/``."""

from django.urls import URLPattern, path

# Imported so that its cards reach the Today page.
from qc.console import (
    batches,
    cards,  # noqa: F401
    labels,
    rework,
)

urlpatterns: list[URLPattern] = [
    path("batches/", batches.batch_list, name="batches"),
    path("batches/<int:pk>/", batches.batch_page, name="batch"),
    path("batches/<int:pk>/labels/", labels.batch_labels, name="batch-labels"),
    path("rework/", rework.rework_list, name="rework"),
    path("rework/<int:pk>/return/", rework.rework_return, name="rework-return"),
    path(
        "rework/<int:pk>/write-off/", rework.rework_write_off, name="rework-write-off"
    ),
]
