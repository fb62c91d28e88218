"""What waits for planners on the Today page."""

from django.db.models import Count, F, Min, Q, Sum
from django.http import HttpRequest
from django.utils import timezone

from matching.enums import PlanState
from matching.models import Plan
from matching.queries import returned_offers, work_to_plan
from orders.enums import JobState
from vrp.accounts.enums import Permission
from vrp.console.formats import relative_day, relative_time
from vrp.console.today import Card, waits_for


@waits_for(Permission.PLAN)
def planning_waits(request: HttpRequest) -> list[Card]:
    """Plans to review, work without a workshop, offers that came back. Three queries."""
    ready = Plan.objects.filter(state=PlanState.READY).aggregate(
        count=Count("id"), oldest=Min("finished_at")
    )
    waiting = "Nothing is offered before you release it"
    if ready["oldest"]:
        age = relative_time(ready["oldest"], now=timezone.now())
        waiting += f"; the oldest was ready {age}"
    work = work_to_plan().aggregate(
        count=Count("id"), pieces=Sum(F("quantity") - F("placed")), due=Min("due_on")
    )
    first = f"{work['pieces'] or 0:,} pieces that nobody has been asked to make"
    if work["due"]:
        day = relative_day(work["due"], today=timezone.localdate())
        first += f"; the first is due {day}"
    came_back = returned_offers().aggregate(
        count=Count("id"), silent=Count("id", filter=Q(state=JobState.LAPSED))
    )
    declined = came_back["count"] - came_back["silent"]
    return [
        Card("Plans to review", ready["count"], waiting, "/ops/plans/?state=review"),
        Card("Parts to plan", work["count"], first, "/ops/plans/#to-plan"),
        Card(
            "Offers that came back",
            came_back["count"],
            f"{declined} declined, {came_back['silent']} not answered; "
            "their pieces wait for somebody else",
            "/ops/plans/#to-plan",
            tone="warn",
        ),
    ]
