"""Steps that several tests of grading share."""

from artisans.models import Workshop
from orders.models import Job
from orders.services.deliveries import book_delivery, receive_delivery
from qc.enums import Grade
from qc.models import Batch, Defect
from qc.services import Verdict
from tests.builders import SYSTEM, Network, build_day, build_job


def bring_in(
    network: Network,
    quantity: int,
    *,
    counted: int | None = None,
    workshop: Workshop | None = None,
) -> Batch:
    """An accepted job whose pieces come in; the batch that opens by itself."""
    job = build_job(network, quantity, workshop=workshop)
    return deliver(job, quantity if counted is None else counted)


def deliver(job: Job, counted: int) -> Batch:
    delivery = book_delivery(
        workshop=job.workshop,
        pieces={job: job.to_deliver},
        booked_for=build_day(0),
        actor=SYSTEM,
    )
    line = delivery.lines.get()
    receive_delivery(delivery=delivery, counts={line.pk: counted}, actor=SYSTEM)
    return Batch.objects.get(delivery_line=line)


def verdicts_of_c1(defects: dict[str, Defect]) -> list[Verdict]:
    """60 AA, 28 A, 4 B that differ in colour only, 6 rework: 98 in all."""
    return [
        Verdict(Grade.AA, 60),
        Verdict(Grade.A, 28),
        Verdict(Grade.B, 4, defects["colour-differs"]),
        Verdict(Grade.REWORK, 6, defects["scratch"]),
    ]


FORM_OF_C1 = {
    "aa": "60",
    "a": "28",
    "b_count": ["4", ""],
    "b_defect": ["colour-differs", ""],
    "rework_count": ["6"],
    "rework_defect": ["scratch"],
    "scrap_count": [""],
    "scrap_defect": [""],
}
