"""What waits for graders on the Today page."""

from django.db.models import Count, Sum
from django.http import HttpRequest
from django.utils import timezone

from qc.queries import batches_to_grade, open_tickets
from vrp.accounts.enums import Permission
from vrp.console.formats import relative_time
from vrp.console.today import Card, waits_for


@waits_for(Permission.GRADE)
def grading_waits(request: HttpRequest) -> list[Card]:
    """Batches to grade, and rework that is overdue."""
    waiting = batches_to_grade()
    total = waiting.order_by().aggregate(batches=Count("id"), pieces=Sum("counted"))
    oldest = waiting.values_list("opened_at", flat=True).first()
    detail = f"{total['pieces'] or 0:,} pieces"
    if oldest:
        detail += f"; the oldest came {relative_time(oldest, now=timezone.now())}"
    late = open_tickets().filter(due_on__lt=timezone.localdate())
    overdue = late.order_by().aggregate(tickets=Count("id"), pieces=Sum("quantity"))
    return [
        Card("Batches to grade", total["batches"], detail, "/ops/batches/"),
        Card(
            "Rework overdue",
            overdue["tickets"],
            f"{overdue['pieces'] or 0:,} pieces are still at workshops",
            "/ops/rework/",
            tone="warn",
        ),
    ]
