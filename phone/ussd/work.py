"""Screens about work: offers and their answers, jobs, progress."""

from orders.enums import JOB_AT_WORKSHOP, DeclineReason, JobState
from orders.models import Job
from orders.services.jobs import accept_job, decline_job, report_progress
from phone import queries, words
from phone.replies import accepted_values
from phone.ussd.model import Again, Dial, End, Next, Row, Screen, Values, number_between

REASONS = {
    "1": DeclineReason.BUSY,
    "2": DeclineReason.PRICE,
    "3": DeclineReason.MATERIAL,
    "4": DeclineReason.FAMILY,
    "5": DeclineReason.OTHER,
}


def chosen_job(dial: Dial) -> Job | None:
    """The job she chose, if it is (still) hers."""
    rows = Job.objects.select_related("work_order__component")
    return rows.filter(workshop=dial.workshop, pk=dial.data.get("job", 0)).first()


def job_values(job: Job, dial: Dial) -> Values:
    """Named values of every text about one job."""
    return {
        "job": job.number,
        "component": words.code(job.work_order.component.code),
        "quantity": job.quantity,
        "made": job.made,
        "delivered": job.delivered,
        "rate": words.money(job.piece_rate_minor, job.currency),
        "due": words.day(job.due_on, dial.language),
    }


# -- offers ----------------------------------------------------------------------------


def open_offers(dial: Dial, answer: str) -> Next:
    """One offer is shown at once, several as a list."""
    first = list(queries.offers(dial.workshop).values_list("pk", flat=True)[:2])
    if len(first) == 1:
        return _choose_offer(dial, first[0])
    return "offers"


def _offer_rows(dial: Dial) -> list[Row]:
    return [
        Row(job.pk, dial.say("offer_row", **job_values(job, dial)))
        for job in queries.offers(dial.workshop)
    ]


def _choose_offer(dial: Dial, row: int) -> Next:
    dial.data["job"] = row
    dial.data.pop("quantity", None)
    return "offer"


def _open_offer(dial: Dial) -> Job | None:
    job = chosen_job(dial)
    return job if job and job.state == JobState.OFFERED else None


def _offer_values(dial: Dial) -> Values | End:
    job = _open_offer(dial)
    if job is None:
        return End("not_open")
    values = job_values(job, dial)
    return {**values, "quantity": dial.data.get("quantity", job.quantity)}


def _whole(dial: Dial, answer: str) -> Next:
    dial.data.pop("quantity", None)
    return "confirm"


def _part(dial: Dial, answer: str) -> Next:
    job = _open_offer(dial)
    if job is None:
        return End("not_open")
    number = number_between(dial, answer, 1, job.quantity)
    if isinstance(number, Again):
        return number
    dial.data["quantity"] = number
    return "confirm"


def _accept(dial: Dial, answer: str) -> Next:
    job = chosen_job(dial)
    if job is None:
        return End("not_open")
    quantity = dial.data.get("quantity")
    job = accept_job(job=job, actor=dial.actor, quantity=quantity)
    return End("accepted", accepted_values(job, dial.workshop))


def _decline(dial: Dial, answer: str) -> Next:
    job = chosen_job(dial)
    if job is None:
        return End("not_open")
    decline_job(job=job, reason=REASONS[answer], actor=dial.actor)
    return End("declined", {"job": job.number})


def _whole_offer(dial: Dial) -> Values | End:
    """The offer as it was made, even after a part of it was typed before."""
    dial.data.pop("quantity", None)
    return _offer_values(dial)


# -- jobs and progress ---------------------------------------------------------------------


def _job_rows(dial: Dial) -> list[Row]:
    return [
        Row(job.pk, dial.say("job_row", **job_values(job, dial)))
        for job in queries.jobs_at(dial.workshop)
    ]


def _choose_job(dial: Dial, row: int) -> Next:
    dial.data["job"] = row
    return "job"


def _choose_progress(dial: Dial, row: int) -> Next:
    dial.data["job"] = row
    return "progress"


def open_progress(dial: Dial, answer: str) -> Next:
    """One job is asked about at once, several are listed."""
    first = list(queries.jobs_at(dial.workshop).values_list("pk", flat=True)[:2])
    if len(first) == 1:
        return _choose_progress(dial, first[0])
    return "progress_jobs"


def _job_at_work(dial: Dial) -> Job | None:
    job = chosen_job(dial)
    return job if job and job.state in JOB_AT_WORKSHOP else None


def _job_values(dial: Dial) -> Values | End:
    job = _job_at_work(dial)
    return End("not_open") if job is None else job_values(job, dial)


def _progress(dial: Dial, answer: str) -> Next:
    job = _job_at_work(dial)
    if job is None:
        return End("not_open")
    number = number_between(dial, answer, job.delivered, job.quantity)
    if isinstance(number, Again):
        return number
    job = report_progress(job=job, made=number, actor=dial.actor)
    values = {"job": job.number, "made": job.made, "quantity": job.quantity}
    return End("progressed", values)


WORK = [
    Screen("offers", rows=_offer_rows, pick=_choose_offer, empty="offers_none"),
    Screen(
        "offer",
        values=_whole_offer,
        choices={"1": _whole, "2": "part", "3": "reason"},
    ),
    Screen("part", values=_whole_offer, typed=_part, back="offer"),
    Screen(
        "confirm",
        values=_offer_values,
        choices={"1": _accept, "2": "offer"},
        back="offer",
    ),
    Screen(
        "reason",
        values=_offer_values,
        choices=dict.fromkeys(REASONS, _decline),
        back="offer",
    ),
    Screen("jobs", rows=_job_rows, pick=_choose_job, empty="jobs_none"),
    Screen("job", values=_job_values, choices={"1": "progress"}, back="jobs"),
    Screen("progress_jobs", rows=_job_rows, pick=_choose_progress, empty="jobs_none"),
    Screen("progress", values=_job_values, typed=_progress),
]
