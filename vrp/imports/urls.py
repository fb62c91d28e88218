"""Console routes of the imports, below ``/ops/``."""

from django.urls import path

from vrp.imports import console

KINDS = ("workshops", "orders")

urlpatterns = [
    *(
        path(f"{kind}/import/", console.upload_page, {"kind": kind}, f"import-{kind}")
        for kind in KINDS
    ),
    *(
        path(
            f"{kind}/import/template.csv",
            console.template,
            {"kind": kind},
            f"import-template-{kind}",
        )
        for kind in KINDS
    ),
    path("imports/<int:pk>/", console.file_page, name="import-file"),
    path("imports/<int:pk>/load/", console.file_load, name="import-load"),
]
