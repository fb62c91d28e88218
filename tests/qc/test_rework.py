"""Pieces that go back: the same piece, the same serial, a second look."""

import pytest

from orders.enums import JobState, WorkOrderState
from orders.models import Job, WorkOrder
from payments.models import Payable
from qc.enums import BatchKind, Grade, TicketState
from qc.models import Batch, Defect, Inspection, Item, ItemGrade, ReworkTicket
from qc.queries import rejection_rate
from qc.services import Verdict, grade_batch, return_rework, write_off_rework
from tests.builders import Network
from tests.qc.steps import bring_in, verdicts_of_c1
from vrp.accounts.models import User
from vrp.errors import IllegalMove, Invalid
from vrp.events.models import Event
from vrp.events.services import Actor

Defects = dict[str, Defect]


@pytest.fixture
def ticket(
    network: Network, defects: Defects, grader: User, actor: Actor
) -> ReworkTicket:
    """6 of 98 scratched pendants are back at W-017."""
    batch = bring_in(network, 98)
    grade_batch(
        batch=batch, verdicts=verdicts_of_c1(defects), grader=grader, actor=actor
    )
    return ReworkTicket.objects.get()


def test_mended_pieces_keep_their_serials(
    ticket: ReworkTicket, defects: Defects, grader: User, actor: Actor
) -> None:
    """5 pass as A, 1 is scrap; pay for 5 more; the job is done."""
    away = set(Item.objects.filter(grade=Grade.REWORK).values_list("serial", flat=True))
    batch = return_rework(ticket=ticket, counted=6, actor=actor)
    assert (batch.kind, batch.counted) == (BatchKind.REWORK, 6)
    found = grade_batch(
        batch=batch,
        verdicts=[Verdict(Grade.A, 5), Verdict(Grade.SCRAP, 1, defects["crack"])],
        grader=grader,
        actor=actor,
    )
    again = set(found.grades.values_list("item__serial", flat=True))
    assert again == away
    assert (Item.objects.count(), ItemGrade.objects.count()) == (98, 104)
    assert Item.objects.filter(grade=Grade.A).count() == 33
    job = Job.objects.get(pk=ticket.job_id)
    assert (job.good, job.scrapped, job.state) == (97, 1, JobState.DONE)
    assert WorkOrder.objects.get(pk=job.work_order_id).open_quantity == 1
    assert sorted(Payable.objects.values_list("items", flat=True)) == [5, 92]


def test_a_second_look_does_not_count_as_rejection(
    ticket: ReworkTicket, defects: Defects, grader: User, actor: Actor
) -> None:
    before = rejection_rate()
    batch = return_rework(ticket=ticket, counted=6, actor=actor)
    grade_batch(
        batch=batch,
        verdicts=[Verdict(Grade.SCRAP, 6, defects["crack"])],
        grader=grader,
        actor=actor,
    )
    assert rejection_rate() == before


def test_the_grader_may_name_the_pieces(
    ticket: ReworkTicket, defects: Defects, grader: User, actor: Actor
) -> None:
    batch = return_rework(ticket=ticket, counted=6, actor=actor)
    serials = list(batch.items.order_by("serial").values_list("serial", flat=True))
    scrap = Verdict(Grade.SCRAP, 1, defects["crack"], (serials[0],))
    grade_batch(
        batch=batch, verdicts=[Verdict(Grade.A, 5), scrap], grader=grader, actor=actor
    )
    assert Item.objects.get(grade=Grade.SCRAP).serial == serials[0]


@pytest.mark.parametrize(
    ("serials", "words"),
    [(("HP-01-1-001",), "not one of the open pieces"), (("x", "y"), "1 pieces, but 2")],
)
def test_a_piece_of_another_batch_is_refused(
    ticket: ReworkTicket,
    defects: Defects,
    grader: User,
    actor: Actor,
    serials: tuple[str, ...],
    words: str,
) -> None:
    batch = return_rework(ticket=ticket, counted=6, actor=actor)
    scrap = Verdict(Grade.SCRAP, 1, defects["crack"], serials)
    with pytest.raises(Invalid, match=words):
        grade_batch(
            batch=batch,
            verdicts=[Verdict(Grade.A, 5), scrap],
            grader=grader,
            actor=actor,
        )
    assert Inspection.objects.count() == 1


def test_missing_pieces_stay_an_open_ticket(
    ticket: ReworkTicket, grader: User, actor: Actor
) -> None:
    first = return_rework(ticket=ticket, counted=4, actor=actor)
    left = ReworkTicket.objects.get(state=TicketState.OPEN)
    assert (left.quantity, left.due_on) == (2, ticket.due_on)
    second = return_rework(ticket=left, counted=2, actor=actor)
    for batch in (second, first):
        grade_batch(
            batch=batch,
            verdicts=[Verdict(Grade.AA, batch.counted)],
            grader=grader,
            actor=actor,
        )
    assert not Item.objects.filter(grade=Grade.REWORK).exists()
    assert first.items.count() == 4
    assert Job.objects.get(pk=ticket.job_id).state == JobState.DONE


def test_rework_of_rework_comes_back_too(
    ticket: ReworkTicket, defects: Defects, grader: User, actor: Actor
) -> None:
    batch = return_rework(ticket=ticket, counted=6, actor=actor)
    verdicts = [Verdict(Grade.A, 4), Verdict(Grade.REWORK, 2, defects["scratch"])]
    grade_batch(batch=batch, verdicts=verdicts, grader=grader, actor=actor)
    again = ReworkTicket.objects.get(state=TicketState.OPEN)
    last = return_rework(ticket=again, counted=2, actor=actor)
    grade_batch(
        batch=last, verdicts=[Verdict(Grade.B, 2, defects["stain"])], grader=grader,
        actor=actor,
    )  # fmt: skip
    serial = last.items.order_by("serial").first()
    assert serial is not None
    history = serial.grades.order_by("id").values_list("grade", flat=True)
    assert list(history) == [Grade.REWORK, Grade.REWORK, Grade.B]
    assert Job.objects.get(pk=ticket.job_id).state == JobState.DONE


def test_taking_back_twice_opens_one_batch(ticket: ReworkTicket, actor: Actor) -> None:
    first = return_rework(ticket=ticket, counted=4, actor=actor)
    assert return_rework(ticket=ticket, counted=6, actor=actor) == first
    assert ReworkTicket.objects.count() == 2
    assert Batch.objects.filter(kind=BatchKind.REWORK).count() == 1
    assert Event.objects.filter(name="rework.returned").count() == 1


@pytest.mark.parametrize("counted", [0, -1, 7, 10**12])
def test_more_than_went_cannot_come_back(
    ticket: ReworkTicket, actor: Actor, counted: int
) -> None:
    with pytest.raises(Invalid, match="1 to 6"):
        return_rework(ticket=ticket, counted=counted, actor=actor)
    assert ReworkTicket.objects.get().state == TicketState.OPEN


def test_what_never_comes_back_is_planned_again(
    ticket: ReworkTicket, actor: Actor
) -> None:
    write_off_rework(ticket=ticket, reason="workshop burnt down", actor=actor)
    write_off_rework(ticket=ticket, reason="workshop burnt down", actor=actor)
    job = Job.objects.get(pk=ticket.job_id)
    assert (job.good, job.scrapped, job.state) == (92, 6, JobState.DONE)
    work_order = WorkOrder.objects.get(pk=job.work_order_id)
    assert (work_order.open_quantity, work_order.state) == (6, WorkOrderState.OPEN)
    assert Item.objects.filter(grade=Grade.SCRAP).count() == 6
    assert Event.objects.filter(name="rework.written_off").count() == 1
    with pytest.raises(IllegalMove):
        return_rework(ticket=ticket, counted=6, actor=actor)


def test_returned_rework_cannot_be_written_off(
    ticket: ReworkTicket, actor: Actor
) -> None:
    return_rework(ticket=ticket, counted=6, actor=actor)
    with pytest.raises(IllegalMove):
        write_off_rework(ticket=ticket, reason="lost", actor=actor)
    assert Job.objects.get(pk=ticket.job_id).scrapped == 0


def test_a_write_off_needs_a_reason(ticket: ReworkTicket, actor: Actor) -> None:
    with pytest.raises(Invalid, match="why"):
        write_off_rework(ticket=ticket, reason="  ", actor=actor)
