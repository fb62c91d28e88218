"""Reads of the phone room: what a workshop can be told, and what was said."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from artisans.enums import Engagement
from artisans.models import Artisan, Workshop
from orders.enums import JOB_AT_WORKSHOP, DeliveryState, JobState
from orders.models import Job
from payments.enums import PAYOUT_UNDER_WAY, PayoutState
from payments.models import Payout
from phone.enums import Direction, MessageState
from phone.models import Channel, Message
from phone.words import first_name


def offers(workshop: Workshop) -> QuerySet[Job]:
    """Offers that wait for an answer, the most urgent first; component joined."""
    rows = Job.objects.filter(workshop=workshop, state=JobState.OFFERED)
    return rows.select_related("work_order__component").order_by("due_on", "number")


def jobs_at(workshop: Workshop) -> QuerySet[Job]:
    """Jobs the workshop works on; each with ``booked``, the pieces announced already."""
    announced = Q(delivery_lines__delivery__state=DeliveryState.BOOKED)
    booked = Coalesce(Sum("delivery_lines__declared", filter=announced), 0)
    rows = Job.objects.filter(workshop=workshop, state__in=JOB_AT_WORKSHOP)
    rows = rows.select_related("work_order__component").annotate(booked=booked)
    return rows.order_by("due_on", "number")


@dataclass(frozen=True)
class Bringable:
    """A job with the pieces that can be announced: ``ready`` are made, ``most`` due."""

    job: Job
    ready: int
    most: int


def bringable(workshop: Workshop) -> list[Bringable]:
    """Jobs with pieces that are neither delivered nor announced yet. One query."""
    rows = []
    for job in jobs_at(workshop):
        booked: int = job.booked  # type: ignore[attr-defined]
        most = job.to_deliver - booked
        ready = min(max(job.made - job.delivered - booked, 0), most)
        if most > 0:
            rows.append(Bringable(job, ready, most))
    return rows


def greeting(workshop: Workshop) -> tuple[str, int]:
    """The lead's first name (the workshop's if it has none) and how many offers wait.
    One query, because every dial begins with it."""
    leads = Artisan.objects.filter(
        workshop=OuterRef("pk"), engagement=Engagement.LEAD, left_on=None
    )
    waiting = Count("jobs", filter=Q(jobs__state=JobState.OFFERED))
    lead, name, count = (
        Workshop.objects.filter(pk=workshop.pk)
        .annotate(lead=Subquery(leads.values("name")[:1]), waiting=waiting)
        .values_list("lead", "name", "waiting")
        .get()
    )
    return first_name(lead or name), count


def recent_payouts(workshop: Workshop, n: int) -> list[Payout]:
    """The newest ``n`` payments that were approved, whatever became of them: she is told
    of the failed and the unknown ones too. One query."""
    told = (*PAYOUT_UNDER_WAY, PayoutState.PAID, PayoutState.FAILED)
    rows = Payout.objects.filter(workshop=workshop, state__in=told)
    return list(rows.order_by("-id")[:n])


def conversation(workshop: Workshop, n: int = 20) -> list[Message]:
    """The last ``n`` messages with a workshop, both ways, newest first. One query."""
    return list(Message.objects.filter(workshop=workshop).order_by("-id")[:n])


def automatic_replies(phone: str, within: timedelta) -> QuerySet[Message]:
    """What this phone got from us by itself, as replies, within that time."""
    return Message.objects.filter(
        direction=Direction.OUT,
        phone=phone,
        purpose__startswith="reply:",
        created_at__gte=timezone.now() - within,
    )


def unmatched_count() -> int:
    """Messages from numbers nobody knows that no person has looked at."""
    return Message.objects.filter(state=MessageState.UNMATCHED).count()


def unknown_count() -> int:
    """Messages that may or may not have been sent."""
    return Message.objects.filter(state=MessageState.UNKNOWN).count()


def stopped_channel() -> Channel | None:
    """The tenant's channel while the carrier refuses it, else None."""
    return Channel.objects.filter(stopped_until__gt=timezone.now()).first()


def ussd_code() -> str:
    """The code an artisan dials, or nothing while no channel is set up."""
    code = Channel.objects.values_list("ussd_code", flat=True).first()
    return code or ""
