"""Upload a spreadsheet, see what it would do, load it: for every kind of import."""

import csv
import io
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from vrp.accounts.enums import Role
from vrp.accounts.permissions import check
from vrp.console.guard import member
from vrp.errors import IllegalMove, Invalid
from vrp.events.services import Actor
from vrp.imports.models import ImportFile
from vrp.imports.reader import MAX_BYTES
from vrp.imports.services import (
    MAX_SHOWN,
    Importer,
    importer_of,
    load_file,
    preview,
    upload,
)

LATEST = 10


@member
def upload_page(request: HttpRequest, kind: str) -> HttpResponse:
    """What a file must look like, and the form. POST ``file`` (a CSV file) keeps it and
    goes on to its preview; a file that cannot be read is refused with the reason."""
    importer = importer_of(kind)
    _check_reader(request, importer)
    error = ""
    if request.method == "POST":
        check(request, importer.permission)
        try:
            return redirect("import-file", pk=_keep(request, importer).pk)
        except Invalid as invalid:
            error = invalid.message
    files = ImportFile.objects.filter(kind=kind).defer("content")
    context = {
        "importer": importer,
        "error": error,
        "may_import": request.grant.may(importer.permission),  # type: ignore[attr-defined]
        "latest": files.select_related("uploaded_by")[:LATEST],
        "megabytes": MAX_BYTES // 2**20,
        "list_url": f"/ops/{kind}/",
    }
    return render(request, "imports/upload.html", context, status=422 if error else 200)


def _check_reader(request: HttpRequest, importer: Importer) -> None:
    """Those who may import, and the auditor, who reads everything."""
    if Role.AUDITOR not in request.grant.roles:  # type: ignore[attr-defined]
        check(request, importer.permission)


def _keep(request: HttpRequest, importer: Importer) -> ImportFile:
    file = request.FILES.get("file")
    if file is None:
        raise Invalid("Choose a file first.", field="file")
    return upload(
        tenant=request.tenant,  # type: ignore[attr-defined]
        kind=importer.kind,
        name=file.name or "",
        content=file.read(MAX_BYTES + 1),
        user=request.user,  # type: ignore[arg-type]
    )


@require_safe
@member
def template(request: HttpRequest, kind: str) -> HttpResponse:
    """A CSV file with the header and one example row, to fill in."""
    columns = importer_of(kind).columns
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.name for column in columns])
    writer.writerow([column.example for column in columns])
    # The mark tells spreadsheet programs that this is UTF-8.
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
    return response


@require_safe
@member
def file_page(request: HttpRequest, pk: int) -> HttpResponse:
    """A kept file: what loading it would do, or what it did."""
    file = _file(pk)
    importer = importer_of(file.kind)
    _check_reader(request, importer)
    counts: dict[str, Any] = file.summary
    errors: list[dict[str, Any]] = []
    if not file.loaded_at:
        outcome = preview(
            tenant=request.tenant,  # type: ignore[attr-defined]
            kind=file.kind,
            content=bytes(file.content),
            actor=Actor.user(request.user),
        )
        counts, errors = outcome.summary(), outcome.errors
    nothing_new = not counts.get("created") and not counts.get("changed")
    context = {
        "file": file,
        "importer": importer,
        "counts": counts,
        "errors": errors[:MAX_SHOWN],
        "hidden_errors": max(len(errors) - MAX_SHOWN, 0),
        "nothing_new": nothing_new,
        "may_load": not file.loaded_at
        and not errors
        and not nothing_new
        and request.grant.may(importer.permission),  # type: ignore[attr-defined]
        "upload_url": f"/ops/{file.kind}/import/",
        "list_url": f"/ops/{file.kind}/",
    }
    return render(request, "imports/file.html", context)


def _file(pk: int) -> ImportFile:
    file = ImportFile.objects.select_related("uploaded_by").filter(pk=pk).first()
    if file is None:
        raise Http404
    return file


@require_POST
@member
def file_load(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: load a kept file, all or nothing. A second click changes nothing."""
    file = _file(pk)
    check(request, importer_of(file.kind).permission)
    if file.loaded_at:
        messages.info(request, f"{file.name} was loaded already; nothing changed.")
        return redirect("import-file", pk=pk)
    try:
        outcome = load_file(file=file, actor=Actor.user(request.user))
    except IllegalMove as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request,
            f"{file.name} is loaded: {outcome.created:,} new, {outcome.changed:,} "
            f"changed, {outcome.unchanged:,} as they were.",
        )
    return redirect("import-file", pk=pk)
