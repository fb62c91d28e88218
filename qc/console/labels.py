"""Labels: one for each accepted piece, to print and stick on its bag."""

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from qc.console.batches import find_batch
from qc.enums import ACCEPTED_GRADES, BatchState
from qc.models import Item
from vrp.console.guard import member
from vrp.console.paging import page_of

# Sheets are printed in one go; beyond this many the page has a next page.
SHEET = 240


@require_safe
@member
def batch_labels(request: HttpRequest, pk: int) -> HttpResponse:
    """Labels of the accepted pieces; with ``?all=1`` also of those sent back."""
    batch = find_batch(request, pk)
    if batch.state != BatchState.GRADED:
        return redirect("batch", pk=pk)
    everything = request.GET.get("all") == "1"
    rows = Item.objects.filter(batch=batch)
    if not everything:
        rows = rows.filter(grade__in=ACCEPTED_GRADES)
    page = page_of(request, rows, order=("serial",), size=SHEET)
    context = {
        "batch": batch,
        "page": page,
        "labels": [{"item": item, "qr": qr(item.serial)} for item in page.rows],
        "everything": everything,
    }
    return render(request, "qc/labels.html", context)


def qr(text: str) -> SafeString:
    """A QR code as inline SVG, drawn without styles so that the page's policy holds."""
    code = segno.make(text, micro=False, error="m")
    drawn = code.svg_inline(border=1, omitsize=True, svgclass=None, lineclass=None)
    # segno's own markup around a code: no part of ``text`` stands in it as text.
    return mark_safe(drawn)  # noqa: S308  # drawn by segno from our own serial
