"""The record of each live job: the outcome the matcher learns from."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from matching.enums import Answer
from matching.history import LIVE_PREFIX
from matching.models import JobRecord
from orders.enums import JobState
from orders.models import Job

# The grades as events carry them, by the column that counts them.
UNITS = {
    "units_aa": "aa",
    "units_a": "a",
    "units_b": "b",
    "units_rework": "rework",
    "units_scrap": "scrap",
}


def record_name(number: int) -> str:
    """Name of the record of live job ``number``."""
    return f"{LIVE_PREFIX}{number}"


@transaction.atomic
def remember_job(*, job: Job) -> None:
    """Bring the record of a job up to date with the job; writing it twice is harmless.

    ``delivered_at`` is filled once the last piece of what was promised has come in.
    """
    job = Job.objects.select_related("work_order", "tenant").get(pk=job.pk)
    record, _ = JobRecord.objects.select_for_update(of=("self",)).get_or_create(
        tenant=job.tenant,
        job=record_name(job.number),
        defaults={
            "workshop_id": job.workshop_id,
            "component_id": job.work_order.component_id,
            "quantity": job.quantity,
            "offered_at": job.offered_at,
            "due_at": end_of(job),
        },
    )
    missing = int(record.attributes.get("missing", 0))
    record.quantity = job.quantity + missing
    record.answered_at, record.answer = job.answered_at, _answer(job, missing)
    record.due_at = end_of(job)
    in_full = job.delivered > 0 and not job.to_deliver and not missing
    record.delivered_at = job.delivered_at if in_full else None
    record.unit_price_minor, record.currency = job.piece_rate_minor, job.currency
    record.save()


@transaction.atomic
def note_missing(*, job: Job, missing: int) -> None:
    """A job was closed short: it keeps counting as not delivered in full."""
    for record in JobRecord.objects.select_for_update(of=("self",)).filter(
        job=record_name(job.number)
    ):
        before = int(record.attributes.get("missing", 0))
        record.attributes = {**record.attributes, "missing": before + missing}
        record.save(update_fields=["attributes"])
    remember_job(job=job)


@transaction.atomic
def forget_job(*, job: Job) -> None:
    """Work that we took back says nothing about the workshop."""
    JobRecord.objects.filter(job=record_name(job.number)).delete()


@transaction.atomic
def add_grades(*, number: int, counts: dict[str, int]) -> None:
    """Add the grades of a first inspection. Returned rework was counted there already."""
    JobRecord.objects.filter(job=record_name(number)).update(
        **{
            column: Coalesce(F(column), 0) + int(counts.get(grade, 0))
            for column, grade in UNITS.items()
        }
    )


def end_of(job: Job) -> datetime:
    """The end of the job's due day where the tenant is."""
    zone = ZoneInfo(job.tenant.timezone)
    return datetime.combine(job.due_on + timedelta(days=1), time(), zone)


def _answer(job: Job, missing: int) -> str:
    """How the offer was answered; empty while it is open."""
    if job.state == JobState.DECLINED:
        return Answer.DECLINED
    if job.state == JobState.LAPSED:
        return Answer.SILENT
    if job.state == JobState.OFFERED or job.answered_at is None:
        return ""
    in_part = job.quantity + missing < job.offered_quantity
    return Answer.PART if in_part else Answer.ACCEPTED
