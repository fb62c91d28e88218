"""What an artisan writes by SMS, in two languages and many spellings."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from artisans.models import Workshop
from orders.enums import JobState
from orders.models import Job
from orders.services.jobs import withdraw_job
from phone import outbox as phone_outbox
from phone import replies
from phone.enums import Direction, MessageState
from phone.models import Message
from phone.replies import tokens_of
from phone.services import take_inbound
from tests.builders import SYSTEM, Network, build_job
from vrp.events import outbox
from vrp.events.models import Event
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db


class Pen:
    """Writes SMS as one phone and reads what comes back."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.count = 0

    def write(self, text: str) -> str:
        """The reply's text, or nothing if there was none."""
        self.count += 1
        message = self.store(text, f"in-{self.count}")
        outbox.run("inbound", message.pk)
        message.refresh_from_db()
        assert message.state == MessageState.HANDLED
        reply = Message.objects.filter(purpose=f"reply:{message.pk}").first()
        return reply.text if reply else ""

    def store(self, text: str, provider_id: str) -> Message:
        return take_inbound(
            tenant=self.workshop.tenant,
            provider_id=provider_id,
            sender=self.workshop.phone,
            text=text,
        )


@pytest.fixture
def pen(horn: Workshop) -> Pen:
    return Pen(horn)


@pytest.fixture
def kalamu(network: Network, horn: Workshop) -> Pen:
    """The same in Swahili."""
    return Pen(network.horn[2])


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


@pytest.mark.parametrize(
    "text",
    [
        "YES {n}",
        "yes {n}",
        " Yes,{n}. ",
        "YES{n}",
        "Ndio {n}",
        "ndiyo {n} asante",
        "y {n}",
        "{n} YES",
    ],
)
def test_yes_accepts(pen: Pen, network: Network, text: str) -> None:
    job = build_job(network, accepted=False)
    said = pen.write(text.format(n=job.number))
    assert said.startswith(f"Accepted: job {job.number}, 100 HP-01, due ")
    assert said.endswith(f"Ref {job.number}-17.")
    assert fresh(job).state == JobState.ACCEPTED


def test_yes_twice_accepts_once(pen: Pen, network: Network) -> None:
    job = build_job(network, accepted=False)
    assert pen.write(f"YES {job.number}") == pen.write(f"YES {job.number}")
    assert Event.objects.filter(name="job.accepted").count() == 1


def test_yes_in_swahili_is_answered_in_swahili(kalamu: Pen, network: Network) -> None:
    job = build_job(network, workshop=kalamu.workshop, accepted=False)
    said = kalamu.write(f"NDIO {job.number}")
    assert said.startswith(f"Umekubali: kazi {job.number}, HP-01 100, mwisho ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NO {n}", "other"),
        ("no {n} price too low", "price"),
        ("HAPANA {n} bei ndogo", "price"),
        ("hapana {n} shamba", "family"),
        ("No {n}: too much work", "busy"),
        ("kataa {n} hakuna malighafi", "material"),
    ],
)
def test_no_declines_with_its_reason(
    pen: Pen, network: Network, text: str, reason: str
) -> None:
    job = build_job(network, accepted=False)
    said = pen.write(text.format(n=job.number))
    assert said == f"You declined job {job.number}. Thank you for telling us."
    assert (fresh(job).state, fresh(job).decline_reason) == (JobState.DECLINED, reason)


@pytest.mark.parametrize("text", ["DONE {n} 40", "fanya {n} 40", "Done{n}, 40 pieces"])
def test_progress_is_an_absolute_number(pen: Pen, network: Network, text: str) -> None:
    job = build_job(network)
    for _ in range(2):
        said = pen.write(text.format(n=job.number))
        assert said == f"Job {job.number}: 40/100 made. Thank you."
    assert fresh(job).made == 40


def test_progress_in_swahili(kalamu: Pen, network: Network) -> None:
    job = build_job(network, workshop=kalamu.workshop)
    said = kalamu.write(f"FANYA {job.number} 40")
    assert said == f"Kazi {job.number}: 40/100 zimekamilika. Asante."


def test_a_count_that_cannot_be(pen: Pen, network: Network) -> None:
    job = build_job(network)
    said = pen.write(f"DONE {job.number} 400")
    assert said == (
        f"Job {job.number}: say a number from 0 to 100. Nothing was changed."
    )
    assert fresh(job).made == 0


def test_jobs(pen: Pen, network: Network) -> None:
    assert pen.write("JOBS").startswith("You have no open jobs now.")
    offered = build_job(network, 30, accepted=False)
    working = build_job(network, 30)
    said = pen.write("kazi")
    assert said == (
        f"Your jobs: {offered.number} HP-01 x30?, {working.number} HP-01 0/30. "
        "Dial *384*55# for more."
    )


def test_many_jobs_still_fit_one_part(pen: Pen, network: Network) -> None:
    for _ in range(10):
        build_job(network, 30)
    pen.write("JOBS")
    assert Message.objects.filter(template="jobs", parts=1).count() == 1


@pytest.mark.parametrize("text", ["LANGUAGE sw", "lugha Kiswahili", "LUGHA SW"])
def test_language(pen: Pen, text: str) -> None:
    assert pen.write(text) == "Kuanzia sasa tutakuandikia kwa Kiswahili."
    assert Workshop.objects.get(pk=pen.workshop.pk).language == "sw"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("HELP", "Write YES 8841 or NO 8841"),
        ("msaada", "Write YES 8841 or NO 8841"),
        ("DOEN 8841 60", "Write YES 8841 or NO 8841"),
        ("", "Write YES 8841 or NO 8841"),
        ("\U0001f44d", "Write YES 8841 or NO 8841"),
        ("YES", "Which job? Write YES"),
        ("NO", "Which job? Write NO"),
        ("DONE 8841", "To report pieces made write DONE"),
        ("LUGHA", "For English write LANGUAGE EN."),
        ("YES 999999", "We do not find job 999999"),
        ("NO 99999999999999999999999", "Which job? Write NO"),
        ("DONE 123456789 1", "We do not find job 123456789"),
    ],
)
def test_everything_else_gets_one_helpful_reply(
    pen: Pen, text: str, wanted: str
) -> None:
    assert pen.write(text).startswith(wanted)
    assert Message.objects.filter(direction=Direction.OUT).count() == 1


def test_the_example_is_her_own_job(pen: Pen, network: Network) -> None:
    job = build_job(network, accepted=False)
    assert f"for example YES {job.number}." in pen.write("YES")


def test_another_workshops_job_is_not_hers(pen: Pen, network: Network) -> None:
    job = build_job(network, workshop=network.horn[1], accepted=False)
    assert pen.write(f"YES {job.number}").startswith("We do not find job")
    assert fresh(job).state == JobState.OFFERED


def test_too_late(pen: Pen, network: Network) -> None:
    job = build_job(network, accepted=False)
    withdraw_job(job=job, actor=SYSTEM, reason="test")
    for text in ("YES", "NO"):
        said = pen.write(f"{text} {job.number}")
        assert said.startswith(f"Job {job.number} is not open for that any more.")
    assert fresh(job).state == JobState.WITHDRAWN


def test_two_machines_cannot_talk_for_ever(
    pen: Pen, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "REPLIES_PER_HOUR", 13)
    job = build_job(network)
    said = [pen.write("hello") for _ in range(7)]
    assert [bool(text) for text in said] == [True] * 5 + [False] * 2
    # What she asks for is done and confirmed, but not for ever.
    said = [pen.write(f"DONE {job.number} 10") for _ in range(7)]
    assert [bool(text) for text in said] == [True] * 5 + [False] * 2
    assert fresh(job).made == 10
    said = [pen.write(f"DONE {job.number} {made}") for made in range(11, 16)]
    assert [bool(text) for text in said] == [True] * 3 + [False] * 2
    assert fresh(job).made == 15
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert pen.write("hello")


def test_an_unknown_sender_is_kept_and_never_answered(
    horn: Workshop, tenant: Tenant
) -> None:
    message = take_inbound(
        tenant=tenant, provider_id="x", sender="+254722000999", text="YES 1"
    )
    assert message.state == MessageState.UNMATCHED
    assert not outbox.run("inbound", message.pk)
    assert not Message.objects.filter(direction=Direction.OUT).exists()


def test_the_same_callback_makes_one_row(pen: Pen) -> None:
    first = pen.store("JOBS", "same")
    assert [pen.store("JOBS", "same").pk for _ in range(20)] == [first.pk] * 20
    # Without an id the words, the sender and the date identify it.
    assert pen.store("JOBS", "").pk == pen.store("JOBS", "").pk
    assert Message.objects.count() == 2


@pytest.mark.parametrize("form", ["{p}", "0{local}", " {bare}", "00{bare}"])
def test_the_sender_in_any_spelling(pen: Pen, form: str) -> None:
    phone = pen.workshop.phone
    sender = form.format(p=phone, local=phone[4:], bare=phone[1:])
    message = take_inbound(
        tenant=pen.workshop.tenant, provider_id="x", sender=sender, text="JOBS"
    )
    assert message.workshop == pen.workshop


def test_a_reader_that_dies_reads_again_but_not_for_ever(
    pen: Pen, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = pen.store("JOBS", "x")
    reader = next(each for each in outbox.outboxes() if each.name == "inbound")
    for attempt in range(1, 6):
        assert outbox.claim(reader, message.pk)
        Message.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        outbox.sweep(tenant)
        message.refresh_from_db()
        wanted = MessageState.RECEIVED if attempt < 5 else MessageState.FAILED
        assert message.state == wanted
    assert message.failure == "CouldNotRead"


def test_reading_is_all_or_nothing(
    pen: Pen, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = build_job(network, accepted=False)
    message = pen.store(f"YES {job.number}", "x")

    def broken(*args: object) -> None:
        raise RuntimeError("no")

    with monkeypatch.context() as patch:
        patch.setattr(replies, "_send", broken)
        with pytest.raises(RuntimeError):
            outbox.run("inbound", message.pk)
    assert fresh(job).state == JobState.OFFERED
    message.refresh_from_db()
    assert message.state == MessageState.READING
    phone_outbox.read(message)
    assert fresh(job).state == JobState.ACCEPTED


def test_tokens() -> None:
    assert tokens_of(" yes8841, ok ") == ["YES", "8841", "OK"]
    assert tokens_of("DONE 8841\u00a040") == ["DONE", "8841", "40"]
    assert tokens_of("***") == []
