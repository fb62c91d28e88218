"""Delivery reports in any order end in the same state."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artisans.models import Workshop
from phone.enums import MESSAGE_RANK, REPORT_STATES, Direction, MessageState
from phone.models import DeliveryReport, Message
from phone.services import take_report
from tests.phone.conftest import build_channel
from vrp.events.models import Event
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
STATUSES = [*REPORT_STATES, "SomethingNew", ""]


def wired(workshop: Workshop, provider_id: str) -> Message:
    return Message.objects.create(
        tenant=workshop.tenant,
        direction=Direction.OUT,
        workshop=workshop,
        phone=workshop.phone,
        text="Habari",
        state=MessageState.WIRED,
        provider_id=provider_id,
    )


@given(st.lists(st.sampled_from(STATUSES), max_size=8))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_order_only_ever_raises(horn: Workshop, statuses: list[str]) -> None:
    message = wired(horn, "ATXid_1")
    seen = [MessageState.WIRED]
    for status in statuses:
        take_report(tenant=horn.tenant, provider_id="ATXid_1", status=status)
        message.refresh_from_db()
        assert MESSAGE_RANK[message.state] >= MESSAGE_RANK[seen[-1]]
        seen.append(MessageState(message.state))
    told = [REPORT_STATES[status] for status in statuses if status in REPORT_STATES]
    best = max([MessageState.WIRED, *told], key=lambda state: MESSAGE_RANK[state])
    assert message.state == best
    assert (message.delivered_at is not None) == (best == MessageState.DELIVERED)
    assert bool(message.failure) == (best == MessageState.FAILED)
    kept = DeliveryReport.objects.filter(message=message)
    assert sorted(kept.values_list("status", flat=True)) == sorted(set(statuses))
    assert sum(report.times for report in kept) == len(statuses)
    DeliveryReport.objects.all().delete()
    message.delete()


def test_the_reason_is_kept_in_words(horn: Workshop) -> None:
    message = wired(horn, "ATXid_1")
    take_report(
        tenant=horn.tenant,
        provider_id="ATXid_1",
        status="Rejected",
        failure="UserInBlackList",
        network_code="63902",
    )
    message.refresh_from_db()
    assert message.failure_words == "she has blocked messages from us"
    assert message.network_code == "63902"


def test_a_repeated_report_is_counted_and_not_added(horn: Workshop) -> None:
    message = wired(horn, "ATXid_1")
    for _ in range(5):
        for failure in ("UserInBlackList", "DeliveryFailure"):
            first = take_report(
                tenant=horn.tenant,
                provider_id="ATXid_1",
                status="Failed",
                failure=failure,
            )
            assert first.message == message
    kept = DeliveryReport.objects.order_by("id")
    assert [(report.failure, report.times) for report in kept] == [
        ("UserInBlackList", 5),
        ("DeliveryFailure", 5),
    ]
    message.refresh_from_db()
    assert message.failure == "UserInBlackList"
    assert Event.objects.filter(name="message.failed").count() == 1


def test_a_repeat_finds_the_message_that_was_not_known_at_first(
    horn: Workshop,
) -> None:
    take_report(tenant=horn.tenant, provider_id="ATXid_1", status="Success")
    message = wired(horn, "ATXid_1")
    take_report(tenant=horn.tenant, provider_id="ATXid_1", status="Success")
    message.refresh_from_db()
    assert message.state == MessageState.DELIVERED
    assert DeliveryReport.objects.get().message == message


def test_a_report_belongs_to_its_tenant(horn: Workshop, other_tenant: Tenant) -> None:
    take_report(tenant=horn.tenant, provider_id="ATXid_1", status="Success")
    with tenant_scope(other_tenant):
        take_report(tenant=other_tenant, provider_id="ATXid_1", status="Success")
        assert DeliveryReport.objects.get().times == 1
    assert DeliveryReport.objects.get().times == 1


def test_an_unknown_id_is_stored_and_changes_nothing(horn: Workshop) -> None:
    message = wired(horn, "ATXid_1")
    take_report(
        tenant=horn.tenant, provider_id="other", status="Failed", phone=horn.phone
    )
    message.refresh_from_db()
    assert message.state == MessageState.WIRED
    assert DeliveryReport.objects.get().message is None


def test_another_tenants_report_changes_nothing(
    horn: Workshop, other_tenant: Tenant
) -> None:
    message = wired(horn, "ATXid_1")
    build_channel(other_tenant)
    with tenant_scope(other_tenant):
        take_report(tenant=other_tenant, provider_id="ATXid_1", status="Success")
    message.refresh_from_db()
    assert message.state == MessageState.WIRED
