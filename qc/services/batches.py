"""Opening batches, and the defects a grader chooses from."""

from django.db import transaction

from orders.models import DeliveryLine, Job
from qc.defects import DEFAULT_DEFECTS
from qc.enums import BatchKind
from qc.models import Batch, Defect, ReworkTicket
from vrp.errors import Invalid
from vrp.events.services import Actor, record
from vrp.tenancy.models import Tenant
from vrp.tenancy.numbers import next_number


@transaction.atomic
def ensure_default_defects(*, tenant: Tenant) -> list[Defect]:
    """Give a tenant the usual defects; those it has or changed are left alone."""
    Defect.objects.bulk_create(
        [
            Defect(
                tenant=tenant, code=code, name=name, name_sw=name_sw, defect_class=kind
            )
            for code, name, name_sw, kind in DEFAULT_DEFECTS
        ],
        ignore_conflicts=True,
    )
    return list(Defect.objects.filter(tenant=tenant))


@transaction.atomic
def open_batch(
    *,
    job: Job,
    counted: int,
    actor: Actor,
    delivery_line: DeliveryLine | None = None,
    ticket: ReworkTicket | None = None,
) -> Batch:
    """Open what came in together for grading: a delivery's line or returned rework.

    The same line or ticket again returns its first batch. Raises ``Invalid`` when there
    is not one piece to grade.
    """
    known = Batch.objects.none()
    if delivery_line is not None:
        known = Batch.objects.filter(delivery_line=delivery_line)
    elif ticket is not None:
        known = Batch.objects.filter(ticket=ticket)
    first = known.first()
    if first is not None:
        return first
    if counted < 1:
        raise Invalid("A batch has at least one piece.", field="counted")
    batch = Batch.objects.create(
        tenant=job.tenant,
        number=next_number(job.tenant, "batch"),
        job=job,
        kind=BatchKind.REWORK if ticket is not None else BatchKind.FIRST,
        delivery_line=delivery_line,
        ticket=ticket,
        counted=counted,
    )
    if not Defect.objects.exists():
        # A new tenant's first batch can be graded without a visit to the back office.
        ensure_default_defects(tenant=job.tenant)
    record(
        "batch.opened",
        subject=batch,
        actor=actor,
        data={"batch": batch.number, "job": job.number, "counted": counted},
    )
    return batch
