"""What this room does when another room records an event."""

from typing import Any

from matching import outbox, records
from orders.models import Job
from vrp.events.models import Event
from vrp.events.services import on

__all__ = ["outbox"]


@on("job.offered", "job.accepted", "job.declined", "job.lapsed", "job.delivered")
def remember(event: Event, job: Job) -> None:
    """Keep the outcome of each job as the matcher learns from it."""
    records.remember_job(job=job)


@on("job.closed_short")
def remember_short(event: Event, job: Job) -> None:
    """The undelivered rest was let go."""
    records.note_missing(job=job, missing=int(event.data["missing"]))


@on("job.withdrawn")
def forget(event: Event, job: Job) -> None:
    """We took the work back."""
    records.forget_job(job=job)


@on("batch.graded")
def count_grades(event: Event, inspection: Any) -> None:
    """Grades of a first inspection make the quality of the job."""
    if event.data.get("kind") == "first":
        records.add_grades(number=int(event.data["job"]), counts=event.data)
