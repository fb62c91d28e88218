"""One inspection per batch: sums, reasons, serials, what it counts for."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.enums import JobState
from orders.models import Delivery, Job
from orders.services.deliveries import book_delivery, receive_delivery
from payments.models import Payable
from qc.enums import BatchKind, BatchState, DefectClass, Grade
from qc.models import Batch, Defect, Inspection, Item, ItemGrade, ReworkTicket
from qc.queries import grade_rows, rejection_rate, top_defect
from qc.services import Verdict, ensure_default_defects, grade_batch, open_batch
from tests.builders import SYSTEM, Network, build_day, build_job
from tests.qc.steps import bring_in, verdicts_of_c1
from vrp.accounts.models import User
from vrp.errors import Invalid
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

Defects = dict[str, Defect]


def job_of(batch: Batch) -> Job:
    return Job.objects.get(pk=batch.job_id)


def test_a_received_delivery_opens_one_batch_for_each_job(network: Network) -> None:
    jobs = [build_job(network, count) for count in (40, 50, 60)]
    delivery = book_delivery(
        workshop=network.horn[0],
        pieces={job: job.quantity for job in jobs},
        booked_for=build_day(0),
        actor=SYSTEM,
    )
    lines = {line.job_id: line.pk for line in delivery.lines.all()}
    counts = dict(zip((lines[job.pk] for job in jobs), (40, 0, 58), strict=True))
    receive_delivery(delivery=delivery, counts=counts, actor=SYSTEM)
    receive_delivery(delivery=delivery, counts=counts, actor=SYSTEM)
    opened = Batch.objects.order_by("number").values_list("job_id", "counted")
    assert list(opened) == [(jobs[0].pk, 40), (jobs[2].pk, 58)]


def test_98_pieces_are_graded_as_counted(
    batch: Batch, defects: Defects, grader: User, actor: Actor
) -> None:
    found = grade_batch(
        batch=batch, verdicts=verdicts_of_c1(defects), grader=grader, actor=actor
    )
    assert (found.aa, found.a, found.b, found.rework, found.scrap) == (60, 28, 4, 6, 0)
    assert found.accepted == 92
    assert Batch.objects.get(pk=batch.pk).state == BatchState.GRADED
    assert Item.objects.count() == ItemGrade.objects.count() == 98
    job = job_of(batch)
    assert (job.good, job.scrapped, job.state) == (92, 0, JobState.IN_PROGRESS)
    ticket = ReworkTicket.objects.get()
    assert (ticket.quantity, ticket.due_on) == (6, build_day(batch.tenant.rework_days))
    payable = Payable.objects.get()
    assert (payable.items, payable.amount_minor) == (92, 92 * 56_000)


def test_the_event_tells_what_was_found(
    batch: Batch, defects: Defects, grader: User, actor: Actor
) -> None:
    grade_batch(
        batch=batch, verdicts=verdicts_of_c1(defects), grader=grader, actor=actor
    )
    event = Event.objects.get(name="batch.graded")
    assert event.data == {
        "aa": 60, "a": 28, "b": 4, "rework": 6, "scrap": 0, "accepted": 92,
        "consistency_b": 4, "defects": {"colour-differs": 4, "scratch": 6},
        "batch": batch.number, "job": batch.job.number, "kind": "first",
    }  # fmt: skip
    assert (event.actor_kind, event.actor_id) == ("user", grader.pk)


def test_every_piece_has_its_own_serial(
    batch: Batch, defects: Defects, grader: User, actor: Actor
) -> None:
    grade_batch(
        batch=batch, verdicts=verdicts_of_c1(defects), grader=grader, actor=actor
    )
    serials = list(Item.objects.order_by("serial").values_list("serial", flat=True))
    assert serials[0] == f"HP-01-{batch.number}-001"
    assert serials[-1] == f"HP-01-{batch.number}-098"
    assert len(set(serials)) == 98


def test_a_difference_within_the_batch_is_no_rejection(
    batch: Batch, defects: Defects, grader: User, actor: Actor
) -> None:
    """Facts C1: 60 AA, 28 A, 4 B for colour alone, 6 rework gives 6/98 = 6.1 %."""
    grade_batch(
        batch=batch, verdicts=verdicts_of_c1(defects), grader=grader, actor=actor
    )
    found = rejection_rate(workshop=batch.job.workshop)
    assert (found.inspected, found.rejected, found.consistency_b) == (98, 6, 4)
    assert found.rate is not None
    assert f"{100 * found.rate:.1f}" == "6.1"


def test_nothing_inspected_has_no_rate(network: Network) -> None:
    assert rejection_rate(workshop=network.horn[1]).rate is None


def test_a_repeated_post_returns_the_first_inspection(
    batch: Batch, defects: Defects, grader: User, actor: Actor
) -> None:
    first = grade_batch(
        batch=batch, verdicts=verdicts_of_c1(defects), grader=grader, actor=actor
    )
    again = grade_batch(
        batch=batch, verdicts=[Verdict(Grade.AA, 98)], grader=grader, actor=actor
    )
    assert again == first
    assert (Inspection.objects.count(), Item.objects.count()) == (1, 98)
    assert Payable.objects.count() == ReworkTicket.objects.count() == 1
    assert Event.objects.filter(name="batch.graded").count() == 1
    assert job_of(batch).good == 92


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        ([(Grade.AA, 97, None)], "98 pieces were counted in, but the grades add up to 97"),
        ([(Grade.AA, 99, None)], "add up to 99: 1 too many"),
        ([], "add up to 0: 98 still to grade"),
        ([(Grade.AA, 10**15, None)], "too many"),
        ([(Grade.AA, 99, None), (Grade.A, -1, None)], "below zero"),
        ([(Grade.AA, 97, None), (Grade.B, 1, None)], "what is wrong"),
        ([(Grade.AA, 97, None), (Grade.REWORK, 1, None)], "what is wrong"),
        ([(Grade.AA, 97, None), (Grade.SCRAP, 1, None)], "what is wrong"),
        ([(Grade.AA, 98, "scratch")], "have no defect"),
        ([(Grade.AA, 97, None), (Grade.REWORK, 1, "colour-differs")], "gives B"),
        ([(Grade.AA, 97, None), (Grade.SCRAP, 1, "stipple-differs")], "gives B"),
    ],
)  # fmt: skip
def test_what_cannot_be_changes_nothing(
    batch: Batch,
    defects: Defects,
    grader: User,
    actor: Actor,
    verdicts: list[tuple[Grade, int, str | None]],
    words: str,
) -> None:
    given = [Verdict(g, n, defects[code] if code else None) for g, n, code in verdicts]
    with pytest.raises(Invalid, match=words):
        grade_batch(batch=batch, verdicts=given, grader=grader, actor=actor)
    assert Batch.objects.get(pk=batch.pk).state == BatchState.OPEN
    assert not Inspection.objects.exists()
    assert not Item.objects.exists()


def test_a_defect_of_another_tenant_is_refused(
    batch: Batch, other_tenant: Tenant, grader: User, actor: Actor
) -> None:
    with tenant_scope(other_tenant):
        foreign = ensure_default_defects(tenant=other_tenant)[0]
    given = [Verdict(Grade.AA, 97), Verdict(Grade.REWORK, 1, foreign)]
    with pytest.raises(Invalid, match="no such defect"):
        grade_batch(batch=batch, verdicts=given, grader=grader, actor=actor)


def test_a_note_has_a_limit(batch: Batch, grader: User, actor: Actor) -> None:
    for note in ("x" * 2_001, "nul \x00 byte"):
        with pytest.raises(Invalid, match="note"):
            grade_batch(
                batch=batch,
                verdicts=[Verdict(Grade.AA, 98)],
                grader=grader,
                actor=actor,
                note=note,
            )


def test_an_empty_batch_is_refused(network: Network) -> None:
    with pytest.raises(Invalid, match="at least one"):
        open_batch(job=build_job(network), counted=0, actor=SYSTEM)


def test_what_an_sms_can_say(
    batch: Batch, defects: Defects, grader: User, actor: Actor
) -> None:
    given = [
        Verdict(Grade.AA, 90),
        Verdict(Grade.REWORK, 3, defects["scratch"]),
        Verdict(Grade.REWORK, 5, defects["crack"]),
    ]
    found = grade_batch(batch=batch, verdicts=given, grader=grader, actor=actor)
    rows = [(row.grade, row.count) for row in grade_rows(found)]
    assert rows == [(Grade.AA, 90), (Grade.REWORK, 5), (Grade.REWORK, 3)]
    assert top_defect(found) == defects["crack"]
    assert top_defect(found, Grade.B) is None


def test_the_usual_defects_speak_both_languages(tenant: Tenant) -> None:
    defects = ensure_default_defects(tenant=tenant)
    kept = defects[0]
    kept.name = "our own word"
    kept.save()
    assert len(ensure_default_defects(tenant=tenant)) == len(defects)
    assert Defect.objects.get(pk=kept.pk).name == "our own word"
    for defect in defects:
        assert defect.name_sw.isascii()
        assert defect.name.isascii()
        assert len(defect.name_sw) <= 30
    classes = {defect.defect_class for defect in defects}
    assert classes == set(DefectClass.values)


def test_queries_do_not_grow_with_pieces(
    network: Network, defects: Defects, grader: User, actor: Actor
) -> None:
    def queries(pieces: int) -> int:
        batch = bring_in(network, 3 * pieces)
        given = [
            Verdict(Grade.AA, pieces),
            Verdict(Grade.B, pieces, defects["scratch"]),
            Verdict(Grade.REWORK, pieces, defects["crack"]),
        ]
        with CaptureQueriesContext(connection) as caught:
            grade_batch(batch=batch, verdicts=given, grader=grader, actor=actor)
        return len(caught)

    queries(1)  # opens the workshop's account
    assert queries(1) == queries(100)


def test_a_batch_knows_its_kind(batch: Batch) -> None:
    assert batch.kind == BatchKind.FIRST
    assert Delivery.objects.get().lines.get().batch == batch
