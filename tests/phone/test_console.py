"""The messages page: who sees what, what can be done, what it costs."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from artisans.models import Workshop
from phone import queries
from phone.enums import Direction, MessageState
from phone.models import Channel, Message
from tests.builders import Network
from tests.phone.conftest import build_channel
from vrp.accounts.enums import Role
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def said(workshop: Workshop | None, text: str = "Habari", **more: object) -> Message:
    values: dict[str, object] = {
        "direction": Direction.OUT,
        "state": MessageState.DELIVERED,
        "phone": workshop.phone if workshop else "+254722000111",
        **more,
    }
    tenant = workshop.tenant if workshop else Channel.objects.get().tenant
    return Message.objects.create(tenant=tenant, workshop=workshop, text=text, **values)


def test_both_directions_newest_first_with_masked_phones(
    signed_in: SignedIn, horn: Workshop
) -> None:
    said(horn, "Karibu kazi")
    said(horn, "YES 8841", direction=Direction.IN, state=MessageState.HANDLED)
    page = signed_in(Role.PLANNER).get("/ops/messages/").content.decode()
    assert page.index("YES 8841") < page.index("Karibu kazi")
    assert horn.phone not in page
    assert horn.phone[-3:] in page


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("direction=in", {"in 17"}),
        ("direction=out", {"out 17", "out 18"}),
        ("q=w-018", {"out 18"}),
        ("state=failed", {"out 18"}),
        ("q=W-017&direction=out", {"out 17"}),
        ("state=nonsense&direction=x&q=", {"in 17", "out 17", "out 18"}),
        ("q=%00", {"in 17", "out 17", "out 18"}),
        ("q=nobody", set()),
    ],
)
def test_filters(
    signed_in: SignedIn, network: Network, channel: Channel, query: str, texts: set[str]
) -> None:
    said(network.horn[0], "out 17")
    said(network.horn[1], "out 18", state=MessageState.FAILED, failure="CouldNotRoute")
    received = {"direction": Direction.IN, "state": MessageState.HANDLED}
    said(network.horn[0], "in 17", **received)
    page = signed_in(Role.PLANNER).get(f"/ops/messages/?{query}").content.decode()
    assert {text for text in ("in 17", "out 17", "out 18") if text in page} == texts


def test_a_failure_is_in_words(signed_in: SignedIn, horn: Workshop) -> None:
    said(horn, state=MessageState.FAILED, failure="UserInBlackList")
    page = signed_in(Role.AUDITOR).get("/ops/messages/").content.decode()
    assert "she has blocked messages from us" in page
    assert "Send again" not in page


def test_the_pages_cost_does_not_grow(signed_in: SignedIn, network: Network) -> None:
    build_channel(network.tenant)
    client = signed_in(Role.PLANNER)
    client.get("/ops/messages/")
    counts = []
    for workshop in network.horn:
        said(workshop, state=MessageState.FAILED, failure="Failed")
        with CaptureQueriesContext(connection) as done:
            client.get("/ops/messages/")
        counts.append(len(done))
    assert counts[0] == counts[2]


def test_long_lists_have_pages(signed_in: SignedIn, horn: Workshop) -> None:
    for number in range(60):
        said(horn, f"text-{number:03d}-")
    client = signed_in(Role.PLANNER)
    first = client.get("/ops/messages/?direction=out")
    assert "text-059-" in first.content.decode()
    assert "text-009-" not in first.content.decode()
    second = client.get("/ops/messages/" + first.context["page"].next_url)
    assert "text-009-" in second.content.decode()
    assert "direction=out" in first.context["page"].next_url


def test_send_again_and_set_aside(signed_in: SignedIn, horn: Workshop) -> None:
    lost = said(horn, state=MessageState.UNKNOWN, failure="NoAnswer")
    stranger = said(None, direction=Direction.IN, state=MessageState.UNMATCHED)
    client = signed_in(Role.PLANNER)
    page = client.get("/ops/messages/").content.decode()
    assert "It may then arrive twice." in page
    for _ in range(2):
        answer = client.post(f"/ops/messages/{lost.pk}/again/")
        assert answer.status_code == 302
    assert Message.objects.filter(purpose=f"again:{lost.pk}").count() == 1
    assert client.post(f"/ops/messages/{stranger.pk}/close/").status_code == 302
    stranger.refresh_from_db()
    assert stranger.state == MessageState.HANDLED
    good = said(horn)
    assert client.post(f"/ops/messages/{good.pk}/again/").status_code == 409
    assert client.get(f"/ops/messages/{lost.pk}/again/").status_code == 405


def test_without_the_right_nothing_is_changed(
    signed_in: SignedIn, horn: Workshop
) -> None:
    lost = said(horn, state=MessageState.UNKNOWN)
    for role in (Role.AUDITOR, Role.QC):
        client = signed_in(role)
        for action in ("again", "close"):
            path = f"/ops/messages/{lost.pk}/{action}/"
            assert client.post(path).status_code == 403
    lost.refresh_from_db()
    assert lost.state == MessageState.UNKNOWN


def test_another_brands_message_is_not_there(
    signed_in: SignedIn, channel: Channel, other_tenant: Tenant
) -> None:
    build_channel(other_tenant)
    with tenant_scope(other_tenant):
        theirs = said(None, "theirs", state=MessageState.UNKNOWN)
    client = signed_in(Role.PLANNER)
    assert "theirs" not in client.get("/ops/messages/").content.decode()
    assert client.post(f"/ops/messages/{theirs.pk}/again/").status_code == 404
    assert client.post(f"/ops/messages/{theirs.pk}/close/").status_code == 404


def test_a_field_worker_sees_her_regions(
    signed_in: SignedIn, network: Network, channel: Channel
) -> None:
    said(network.horn[0], "from Nairobi")
    client = signed_in(Role.FIELD)
    assert "from Nairobi" in client.get("/ops/messages/").content.decode()
    type(network.area).objects.update(region="Coast")
    assert "from Nairobi" not in client.get("/ops/messages/").content.decode()


def test_today_says_what_waits(signed_in: SignedIn, horn: Workshop) -> None:
    client = signed_in(Role.PLANNER)
    assert "unknown numbers" not in client.get("/ops/").content.decode()
    said(None, direction=Direction.IN, state=MessageState.UNMATCHED)
    said(horn, state=MessageState.UNKNOWN)
    Channel.objects.update(
        stopped_until=timezone.now() + timedelta(minutes=10),
        stopped_reason="InsufficientBalance",
    )
    page = client.get("/ops/").content.decode()
    assert "Messages from unknown numbers" in page
    assert "Messages with unknown outcome" in page
    assert "Our account with the carrier is empty" in page
    assert "our account with the carrier is empty" in (
        client.get("/ops/messages/").content.decode()
    )


def test_a_conversation_for_the_workshop_page(horn: Workshop, network: Network) -> None:
    said(horn, "one")
    said(horn, "<b>two</b>", direction=Direction.IN, state=MessageState.HANDLED)
    said(network.horn[1], "not hers")
    rows = queries.conversation(horn, 10)
    assert [row.text for row in rows] == ["<b>two</b>", "one"]
    drawn = render_to_string("phone/_conversation.html", {"conversation": rows})
    assert "She wrote" in drawn
    assert "&lt;b&gt;two" in drawn
