"""Giving every piece of a batch its verdict, once.

Lock order: batch first, then (in ``orders``) work order, then job.
"""

from collections import Counter
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from orders.services.jobs import record_verdict
from qc.enums import NEEDS_DEFECT, BatchKind, BatchState, DefectClass, Grade
from qc.models import Batch, Defect, Inspection, Item, ItemGrade
from qc.services.rework import due_on_for, open_ticket
from vrp.accounts.models import User
from vrp.errors import Invalid
from vrp.events.services import Actor, record

MAX_NOTE = 2_000


@dataclass(frozen=True)
class Verdict:
    """So many pieces of a batch got this grade, for this reason.

    ``serials`` (rework batches only) says exactly which pieces; without it the pieces
    are taken in the order of their serials.
    """

    grade: Grade
    count: int
    defect: Defect | None = None
    serials: tuple[str, ...] = ()


@transaction.atomic
def grade_batch(
    *,
    batch: Batch,
    verdicts: list[Verdict],
    grader: User,
    actor: Actor,
    note: str = "",
) -> Inspection:
    """Give every piece of a batch its grade, once. Pay and messages follow the event.

    The verdicts must add up to what was counted. B, rework and scrap name a defect; a
    defect of consistency gives B and nothing worse (facts A43, C1). Pieces sent to
    rework get a ticket due after ``tenant.rework_days``. A batch that is graded already
    returns its first inspection and changes nothing, whatever is posted.

    Raises ``Invalid`` with a sentence for the grader. The number of queries does not
    depend on the number of pieces.
    """
    rows = Batch.objects.select_for_update(of=("self",))
    batch = rows.select_related(
        "tenant", "job__work_order__component", "job__workshop", "ticket"
    ).get(pk=batch.pk)
    if batch.state == BatchState.GRADED:
        return batch.inspection
    verdicts = _checked(batch, verdicts, note)
    counts = Counter[str]()
    for verdict in verdicts:
        counts[verdict.grade] += verdict.count
    batch.state, batch.graded_at = BatchState.GRADED, timezone.now()
    inspection = Inspection.objects.create(
        tenant=batch.tenant,
        batch=batch,
        grader=grader,
        note=note.strip(),
        at=batch.graded_at,
        **{grade.value: counts[grade] for grade in Grade},
    )
    batch.save(update_fields=["state", "graded_at"])
    _grade_items(batch, inspection, verdicts)
    if counts[Grade.REWORK]:
        open_ticket(inspection, counts[Grade.REWORK], due_on_for(batch.tenant))
    record_verdict(
        job=batch.job,
        good=inspection.accepted,
        scrapped=inspection.scrap,
        rework=inspection.rework,
        actor=actor,
    )
    record(
        "batch.graded",
        subject=inspection,
        actor=actor,
        data=_graded_data(inspection, verdicts),
    )
    return inspection


def _checked(batch: Batch, verdicts: list[Verdict], note: str) -> list[Verdict]:
    """The verdicts that say something, or ``Invalid`` for the first that cannot be."""
    if len(note) > MAX_NOTE or "\x00" in note:
        raise Invalid(f"Keep the note below {MAX_NOTE} letters.", field="note")
    found = []
    for verdict in verdicts:
        if verdict.grade not in Grade.values:
            raise Invalid("Unknown grade.", field="grade")
        if verdict.count < 0:
            raise Invalid(
                f"{verdict.grade.label}: a count cannot be below zero.",
                field=verdict.grade,
            )
        if verdict.count:
            _check_defect(batch, verdict)
            _check_serials(batch, verdict)
            found.append(verdict)
    total = sum(verdict.count for verdict in found)
    if total != batch.counted:
        off = abs(batch.counted - total)
        raise Invalid(
            f"{batch.counted} pieces were counted in, but the grades add up to {total}: "
            f"{off} {'too many' if total > batch.counted else 'still to grade'}.",
            field="total",
        )
    return sorted(found, key=lambda verdict: Grade.values.index(verdict.grade))


def _check_defect(batch: Batch, verdict: Verdict) -> None:
    grade, defect = verdict.grade, verdict.defect
    if defect is None:
        if grade in NEEDS_DEFECT:
            raise Invalid(
                f"Say what is wrong with the {verdict.count} pieces in {grade.label}.",
                field=grade,
            )
        return
    if grade not in NEEDS_DEFECT:
        raise Invalid(f"{grade.label} pieces have no defect.", field=grade)
    if defect.tenant_id != batch.tenant_id:
        raise Invalid("There is no such defect.", field=grade)
    if defect.defect_class == DefectClass.CONSISTENCY and grade != Grade.B:
        raise Invalid(
            f'"{defect.name}" is a difference within the batch: it gives B, not '
            f"{grade.label}.",
            field=grade,
        )


def _check_serials(batch: Batch, verdict: Verdict) -> None:
    if not verdict.serials:
        return
    if batch.kind != BatchKind.REWORK:
        raise Invalid("These pieces get their serials now.", field=verdict.grade)
    if len(set(verdict.serials)) != verdict.count:
        raise Invalid(
            f"{verdict.grade.label}: {verdict.count} pieces, but "
            f"{len(set(verdict.serials))} serials.",
            field=verdict.grade,
        )


def _grade_items(batch: Batch, inspection: Inspection, verdicts: list[Verdict]) -> None:
    """Write the piece rows: new ones with serials, or the returned ones again."""
    if batch.kind == BatchKind.REWORK:
        graded = _returned_items(batch, verdicts)
    else:
        graded = _new_items(batch, verdicts)
    ItemGrade.objects.bulk_create(
        ItemGrade(
            tenant=batch.tenant,
            item=item,
            inspection=inspection,
            grade=verdict.grade,
            defect=verdict.defect,
        )
        for item, verdict in graded
    )


def _new_items(batch: Batch, verdicts: list[Verdict]) -> list[tuple[Item, Verdict]]:
    code = batch.job.work_order.component.code
    width = max(3, len(str(batch.counted)))
    graded: list[tuple[Item, Verdict]] = []
    for verdict in verdicts:
        for _ in range(verdict.count):
            serial = f"{code}-{batch.number}-{len(graded) + 1:0{width}d}"
            item = Item(
                tenant=batch.tenant,
                serial=serial,
                job=batch.job,
                batch=batch,
                grade=verdict.grade,
            )
            graded.append((item, verdict))
    Item.objects.bulk_create([item for item, _ in graded])
    return graded


def _returned_items(
    batch: Batch, verdicts: list[Verdict]
) -> list[tuple[Item, Verdict]]:
    """The batch's own pieces: first those a verdict names, then by serial."""
    items = {item.serial: item for item in batch.items.order_by("serial")}
    graded: list[tuple[Item, Verdict]] = []
    for verdict in verdicts:
        for serial in dict.fromkeys(verdict.serials):
            item = items.pop(serial, None)
            if item is None:
                raise Invalid(
                    f"{serial} is not one of the open pieces of {batch}.",
                    field=verdict.grade,
                )
            graded.append((item, verdict))
    rest = iter(items.values())
    for verdict in verdicts:
        if not verdict.serials:
            graded += [(next(rest), verdict) for _ in range(verdict.count)]
    for grade in {verdict.grade for verdict in verdicts}:
        Item.objects.filter(
            pk__in=[item.pk for item, verdict in graded if verdict.grade == grade]
        ).update(grade=grade)
    return graded


def _graded_data(inspection: Inspection, verdicts: list[Verdict]) -> dict[str, object]:
    batch = inspection.batch
    defects = Counter[str]()
    consistency_b = 0
    for verdict in verdicts:
        if verdict.defect is None:
            continue
        defects[verdict.defect.code] += verdict.count
        if verdict.defect.defect_class == DefectClass.CONSISTENCY:
            consistency_b += verdict.count
    return {
        **{grade.value: getattr(inspection, grade.value) for grade in Grade},
        "accepted": inspection.accepted,
        "consistency_b": consistency_b,
        "defects": dict(defects),
        "batch": batch.number,
        "job": batch.job.number,
        "kind": batch.kind,
    }
