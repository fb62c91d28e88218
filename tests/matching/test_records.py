"""Live jobs write their outcome into the records that scores are counted from."""

from datetime import timedelta

import pytest

from matching.enums import Answer
from matching.models import JobRecord
from orders.models import DeliveryLine, Job
from orders.services.deliveries import book_delivery, receive_delivery
from orders.services.jobs import (
    accept_job,
    close_short,
    decline_job,
    lapse_job,
    withdraw_job,
)
from qc.enums import Grade
from qc.models import Batch, Defect
from qc.services import Verdict, grade_batch
from tests.builders import SYSTEM, Network, build_day, build_job, build_user
from vrp.accounts.enums import Role

pytestmark = pytest.mark.django_db


def record_of(job: Job) -> JobRecord:
    return JobRecord.objects.get(job=f"live:{job.number}")


def bring_in(job: Job, pieces: int) -> None:
    delivery = book_delivery(
        workshop=job.workshop,
        pieces={job: pieces},
        booked_for=build_day(0),
        actor=SYSTEM,
    )
    line = DeliveryLine.objects.get(delivery=delivery)
    receive_delivery(delivery=delivery, counts={line.pk: pieces}, actor=SYSTEM)


def test_an_offer_is_a_record_with_nothing_known(network: Network):
    job = build_job(network, 100, accepted=False)
    record = record_of(job)
    assert (record.answer, record.answered_at, record.delivered_at) == ("", None, None)
    assert record.units_aa is None
    assert record.due_at.astimezone().date() >= job.due_on
    assert record.due_at - job.offered_at > timedelta(days=20)


def test_answers_are_kept(network: Network):
    part = accept_job(
        job=build_job(network, 100, accepted=False), quantity=60, actor=SYSTEM
    )
    assert (record_of(part).answer, record_of(part).quantity) == (Answer.PART, 60)
    no = decline_job(
        job=build_job(network, 100, accepted=False), reason="busy", actor=SYSTEM
    )
    assert record_of(no).answer == Answer.DECLINED
    silent = lapse_job(job=build_job(network, 100, accepted=False), actor=SYSTEM)
    assert record_of(silent).answer == Answer.SILENT
    assert record_of(silent).answered_at is None


def test_work_we_took_back_is_forgotten(network: Network):
    job = build_job(network, 100)
    withdraw_job(job=job, actor=SYSTEM, reason="design changed")
    assert not JobRecord.objects.exists()


def test_delivery_in_full_and_first_grades_are_counted(network: Network):
    job = build_job(network, 100)
    bring_in(job, 98)
    job.refresh_from_db()
    assert record_of(job).delivered_at is None
    bring_in(job, 2)
    assert record_of(job).delivered_at is not None
    defect = Defect.objects.get(code="scratch")
    for batch in Batch.objects.order_by("number"):
        grade_batch(
            batch=batch,
            verdicts=[
                Verdict(Grade.AA, batch.counted - 1),
                Verdict(Grade.REWORK, 1, defect),
            ],
            grader=build_user(network.tenant, f"qc{batch.pk}", Role.QC),
            actor=SYSTEM,
        )
    record = record_of(job)
    assert (record.units_aa, record.units_rework, record.units_b) == (98, 2, 0)


def test_a_job_closed_short_stays_undelivered(network: Network):
    job = build_job(network, 100)
    bring_in(job, 60)
    job.refresh_from_db()
    close_short(job=job, actor=SYSTEM, reason="cannot finish")
    record = record_of(job)
    assert (record.quantity, record.delivered_at) == (100, None)
    assert record.answer == Answer.ACCEPTED
