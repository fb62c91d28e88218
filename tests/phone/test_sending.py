"""Messages to the carrier's stand-in over real HTTP, with everything that goes wrong."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from artisans.models import Workshop
from phone.carrier import Answer, Verdict, send
from phone.enums import MessageState
from phone.models import Channel, DeliveryReport, Message
from phone.services import close_message, queue_message, send_again, take_report
from phone.services.messages import PAUSE, settle_answer
from phone.services.reports import settle_reports_of
from tests.builders import SYSTEM, build_network, build_tenant
from tests.standin import StandIn
from vrp.errors import IllegalMove
from vrp.events import outbox
from vrp.events.models import Event
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_the_standin(standin: StandIn, settings: Any) -> None:
    settings.AFRICASTALKING_URL = f"{standin.url}/version1"
    settings.CARRIER_TIMEOUT = (1, 0.4)


@pytest.fixture
def write(horn: Workshop) -> Callable[..., Message]:
    """``write(phone)``: a queued message to that phone."""

    def make(phone: str = "", purpose: str = "test:1") -> Message:
        if phone:
            Workshop.objects.filter(pk=horn.pk).update(phone=phone)
            horn.refresh_from_db()
        return queue_message(
            tenant=horn.tenant,
            workshop=horn,
            template="jobs_none",
            values={},
            purpose=purpose,
            actor=SYSTEM,
        )

    return make


def work(message: Message) -> Message:
    """What a worker does with the row's id."""
    outbox.run("sms", message.pk)
    message.refresh_from_db()
    return message


def test_a_message_reaches_the_phone(
    write: Callable[..., Message], standin: StandIn, horn: Workshop
) -> None:
    message = work(write())
    assert message.state == MessageState.WIRED
    assert message.provider_id.startswith("ATXid_")
    assert message.sent_at is not None
    (got,) = standin.sms(horn.phone)
    assert (got["text"], got["from"], got["parts"]) == (message.text, "SOKO", 1)
    # Handed over twice, sent once.
    assert not outbox.run("sms", message.pk)
    assert len(standin.sms(horn.phone)) == 1


def test_the_same_cause_writes_one_message(write: Callable[..., Message]) -> None:
    assert write() == write()
    assert Message.objects.count() == 1
    assert Event.objects.filter(name="message.queued").count() == 1


def test_it_is_handed_over_on_commit(
    write: Callable[..., Message], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as calls:
        write()
    assert len(calls) == 1


NUMBERS = [
    ("001", Verdict.UNKNOWN, "NoAnswer"),
    ("002", Verdict.UNKNOWN, "NoAnswer"),
    ("003", Verdict.UNKNOWN, "NoAnswer"),
    ("006", Verdict.STOPPED, "InvalidSenderId"),
    ("007", Verdict.UNKNOWN, "Unreadable"),
    ("008", Verdict.ACCEPTED, ""),
    ("009", Verdict.ACCEPTED, ""),
    ("100", Verdict.ACCEPTED, ""),
    ("101", Verdict.ACCEPTED, ""),
    ("102", Verdict.ACCEPTED, ""),
    ("401", Verdict.FAILED, "RiskHold"),
    ("402", Verdict.STOPPED, "InvalidSenderId"),
    ("403", Verdict.FAILED, "InvalidPhoneNumber"),
    ("404", Verdict.FAILED, "UnsupportedNumberType"),
    ("405", Verdict.STOPPED, "InsufficientBalance"),
    ("406", Verdict.FAILED, "UserInBlacklist"),
    ("407", Verdict.FAILED, "CouldNotRoute"),
    ("409", Verdict.RETRY, "DoNotDisturbRejection"),
    ("500", Verdict.RETRY, "InternalServerError"),
    ("501", Verdict.RETRY, "GatewayError"),
    ("502", Verdict.RETRY, "RejectedByGateway"),
    ("901", Verdict.STOPPED, "Unauthorised"),
    ("929", Verdict.RETRY, "TooManyRequests"),
    ("950", Verdict.RETRY, "InternalServerError"),
]


@pytest.mark.parametrize(("digits", "verdict", "code"), NUMBERS)
def test_what_each_answer_means(
    channel: Channel, standin: StandIn, digits: str, verdict: Verdict, code: str
) -> None:
    answer = send(channel, f"+254799900{digits}", "Habari")
    assert (answer.verdict, answer.code) == (verdict, code)
    assert bool(answer.provider_id) == (verdict == Verdict.ACCEPTED)


def test_a_carrier_that_is_not_there_was_surely_not_asked(
    channel: Channel, settings: Any
) -> None:
    settings.AFRICASTALKING_URL = "http://127.0.0.1:9/version1"
    answer = send(channel, "+254712345678", "Habari")
    assert (answer.verdict, answer.code) == (Verdict.RETRY, "NotReached")


@pytest.mark.parametrize("code", ["502", "504"])
def test_a_gateway_that_gave_up_may_have_passed_it_on(
    channel: Channel, standin: StandIn, code: str
) -> None:
    standin.faults({"sms": {"do": "http", "code": code}})
    assert send(channel, "+254712345678", "Habari").verdict == Verdict.UNKNOWN


def test_a_bad_number_never_leaves_the_machine(channel: Channel) -> None:
    assert send(channel, "0712345678", "Habari").verdict == Verdict.FAILED


def test_transient_faults_are_tried_three_times(
    write: Callable[..., Message], standin: StandIn
) -> None:
    message = write("+254799900950")
    for attempt, minutes in ((1, 5), (2, 10)):
        before = timezone.now()
        message = work(message)
        assert (message.state, message.attempts) == (MessageState.QUEUED, attempt)
        wait = message.due_at - before
        assert timedelta(minutes=minutes) <= wait < timedelta(minutes=minutes + 1)
        assert not outbox.run("sms", message.pk), "not before it is due"
        Message.objects.update(due_at=timezone.now())
    message = work(message)
    assert (message.state, message.failure) == (
        MessageState.FAILED,
        "InternalServerError",
    )
    assert message.failure_words == "the carrier had a fault"


def test_the_networks_refusal_is_tried_twice(write: Callable[..., Message]) -> None:
    message = work(write("+254799900502"))
    assert message.state == MessageState.QUEUED
    Message.objects.update(due_at=timezone.now())
    assert work(message).state == MessageState.FAILED


def test_a_refused_account_stops_the_channel_for_everybody(
    write: Callable[..., Message], channel: Channel, standin: StandIn
) -> None:
    refused = work(write("+254799900405"))
    assert (refused.state, refused.attempts) == (MessageState.QUEUED, 0)
    channel.refresh_from_db()
    assert channel.stopped_reason == "InsufficientBalance"
    other = work(write("+254712345678", "test:2"))
    assert (other.state, other.due_at) == (MessageState.QUEUED, channel.stopped_until)
    assert standin.sms("+254712345678") == []
    # The account is topped up; after the pause it leaves by itself.
    long_ago = timezone.now() - PAUSE
    Message.objects.update(due_at=long_ago)
    Channel.objects.update(stopped_until=long_ago)
    assert work(other).state == MessageState.WIRED


def test_a_lost_answer_is_unknown_and_never_sent_again_by_itself(
    write: Callable[..., Message], standin: StandIn, tenant: Tenant
) -> None:
    standin.faults({"sms": {"do": "report_none"}})
    message = work(write("+254799900002"))
    assert (message.state, message.failure) == (MessageState.UNKNOWN, "NoAnswer")
    Message.objects.update(due_at=timezone.now() - timedelta(hours=1))
    outbox.sweep(tenant)
    assert not outbox.run("sms", message.pk)
    assert len(standin.sms("+254799900002")) == 1


def test_a_worker_that_died_leaves_it_unknown(
    write: Callable[..., Message], tenant: Tenant, standin: StandIn
) -> None:
    message = write()
    outbox.claim(next(o for o in outbox.outboxes() if o.name == "sms"), message.pk)
    Message.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert outbox.sweep(tenant)["lost"] == 1
    message.refresh_from_db()
    assert (message.state, message.failure) == (MessageState.UNKNOWN, "Lost")


def test_a_report_about_an_unknown_id_finds_the_lost_message(
    write: Callable[..., Message], tenant: Tenant
) -> None:
    message = work(write("+254799900002"))
    take_report(
        tenant=tenant, provider_id="ATXid_x", status="Success", phone=message.phone
    )
    message.refresh_from_db()
    assert (message.state, message.provider_id) == (MessageState.DELIVERED, "ATXid_x")
    assert message.failure == ""


def test_a_report_that_came_before_the_answer_counts(
    write: Callable[..., Message], tenant: Tenant
) -> None:
    message = write("+254712345679")
    take_report(tenant=tenant, provider_id="ATXid_e", status="Success")
    assert DeliveryReport.objects.get().message is None
    Message.objects.update(state=MessageState.SENDING, attempts=1)
    accepted = Answer(Verdict.ACCEPTED, provider_id="ATXid_e")
    settle_reports_of(settle_answer(message=message, answer=accepted))
    message.refresh_from_db()
    assert message.state == MessageState.DELIVERED


def test_what_waited_for_a_day_is_not_sent(
    write: Callable[..., Message], standin: StandIn, horn: Workshop
) -> None:
    message = write()
    Message.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert work(message).failure == "TooOld"
    assert standin.sms(horn.phone) == []


def test_without_an_account_nothing_is_sent(write: Callable[..., Message]) -> None:
    message = write()
    Channel.objects.all().delete()
    assert work(message).failure == "NoChannel"


def test_a_person_may_send_again_or_set_aside(
    write: Callable[..., Message], standin: StandIn, horn: Workshop
) -> None:
    lost = work(write("+254799900002"))
    again = send_again(message=lost, actor=SYSTEM)
    assert again.pk != lost.pk
    assert send_again(message=lost, actor=SYSTEM) == again
    lost.refresh_from_db()
    assert (lost.state, lost.failure) == (MessageState.FAILED, "SentAgain")
    with pytest.raises(IllegalMove):
        send_again(message=again, actor=SYSTEM)
    other = work(write("+254799900001", "test:2"))
    assert other.state == MessageState.UNKNOWN
    assert close_message(message=other, actor=SYSTEM).failure == "LeftAsIs"
    assert close_message(message=other, actor=SYSTEM).state == MessageState.FAILED


@pytest.mark.django_db(transaction=True)
def test_the_same_cause_at_the_same_moment_writes_one_message() -> None:
    tenant = build_tenant("soko")
    with tenant_scope(tenant):
        workshop = build_network(tenant).horn[0]
    gate = threading.Barrier(8)
    found: list[int] = []

    def cause() -> None:
        try:
            gate.wait(10)
            with tenant_scope(tenant), transaction.atomic():
                message = queue_message(
                    tenant=tenant,
                    workshop=workshop,
                    template="jobs_none",
                    values={},
                    purpose="test:1",
                    actor=SYSTEM,
                )
                found.append(message.pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=cause) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 8
    assert len(set(found)) == 1
    with tenant_scope(tenant):
        assert Message.objects.count() == 1
