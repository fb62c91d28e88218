"""What graded work earns."""

from django.db import transaction

from payments.enums import AccountKind
from payments.models import Payable
from payments.services.ledger import account, post_entry
from qc.models import Inspection
from vrp.events.services import Actor, record


@transaction.atomic
def post_payable(*, inspection: Inspection, actor: Actor) -> Payable | None:
    """Owe the workshop for the accepted pieces of one inspection, at the job's rate.

    One payable per inspection, with its entry (debit piece-work cost, credit owed to the
    workshop); none if nothing was accepted. Calling again returns the same payable.
    """
    existing = Payable.objects.filter(inspection=inspection).first()
    if existing is not None or not inspection.accepted:
        return existing
    job = inspection.batch.job
    amount = inspection.accepted * job.piece_rate_minor
    tenant, currency = inspection.tenant, job.currency
    entry = post_entry(
        tenant=tenant,
        cause=f"inspection:{inspection.pk}",
        memo=f"Job {job.number}, {inspection.batch}: {inspection.accepted} accepted",
        legs=[
            (account(tenant, AccountKind.PIECE_WORK, currency), amount),
            (account(tenant, AccountKind.WORKSHOP, currency, job.workshop), -amount),
        ],
        currency=currency,
    )
    payable = Payable.objects.create(
        tenant=tenant,
        workshop=job.workshop,
        inspection=inspection,
        items=inspection.accepted,
        piece_rate_minor=job.piece_rate_minor,
        amount_minor=amount,
        open_minor=amount,
        currency=currency,
        entry=entry,
    )
    record(
        "payable.posted",
        subject=payable,
        actor=actor,
        data={"workshop": job.workshop.code, "job": job.number, "amount_minor": amount},
    )
    return payable
