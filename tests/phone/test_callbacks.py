"""The three routes: the carrier's forms, and whatever else may be posted there."""

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artisans.models import Workshop
from orders.enums import JobState
from orders.models import Job
from phone.enums import Direction, MessageState
from phone.models import Channel, DeliveryReport, Message, UssdSession
from tests.builders import Network, build_job, build_network, build_tenant
from tests.phone.conftest import FORM, build_channel
from tests.standin import StandIn, until
from vrp.events import outbox
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
ROUTES = ["ussd", "sms/inbound", "sms/delivery"]
Post = Callable[..., Any]


@pytest.fixture
def post(channel: Channel) -> Post:
    """``post("ussd", {...})``: as the carrier does; a dict or raw bytes."""
    client = Client(raise_request_exception=True, enforce_csrf_checks=True)

    def send(
        route: str, body: dict[str, str] | bytes, kind: str = FORM, secret: str = ""
    ) -> Any:
        data = urlencode(body).encode() if isinstance(body, dict) else body
        path = f"/phone/{secret or channel.route_secret}/{route}"
        return client.generic("POST", path, data, content_type=kind)

    return send


def test_an_incoming_sms_is_stored_and_handed_over(
    post: Post, horn: Workshop, django_capture_on_commit_callbacks: Any
) -> None:
    form = {
        "date": "2027-03-01 09:00:00",
        "from": horn.phone,
        "id": "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d",
        "text": "JOBS",
        "to": "SOKO",
        "networkCode": "63902",
        "cost": "KES 1.0000",
    }
    with django_capture_on_commit_callbacks() as calls:
        assert [post("sms/inbound", form).status_code for _ in range(3)] == [200] * 3
    assert len(calls) == 1
    message = Message.objects.get()
    assert (message.direction, message.state) == (Direction.IN, MessageState.RECEIVED)
    assert (message.text, message.network_code) == ("JOBS", "63902")


def test_an_sms_without_a_sender_is_refused(post: Post) -> None:
    answer = post("sms/inbound", {"text": "JOBS"})
    assert (answer.status_code, answer.content) == (
        400,
        b"The field 'from' is missing.",
    )
    assert not Message.objects.exists()


def test_a_delivery_report_is_always_fine(post: Post, channel: Channel) -> None:
    for form in ({"id": "a", "status": "Success"}, {"id": "a", "status": "New"}, {}):
        assert post("sms/delivery", form).status_code == 200
    assert DeliveryReport.objects.count() == 2


@pytest.mark.parametrize("route", ROUTES)
def test_a_wrong_secret_is_not_found(
    post: Post, channel: Channel, tenant: Tenant, route: str
) -> None:
    wrong = [
        f"{tenant.pk}-{'0' * 40}",
        f"{tenant.pk}-{channel.route_secret.partition('-')[2][:-1]}",
        channel.route_secret + "0",
        channel.route_secret.upper(),
        f"999999-{'0' * 40}",
        f"{'9' * 18}-{'0' * 40}",
        "x",
        "0-" + "0" * 40,
    ]
    for secret in wrong:
        if secret == channel.route_secret:
            continue
        answer = post(route, {"from": "+254712345678", "id": "1"}, secret=secret)
        assert (answer.status_code, answer.content) == (404, b"Not found"), secret
    assert not Message.objects.exists()
    assert not DeliveryReport.objects.exists()


@pytest.mark.parametrize("route", ROUTES)
def test_only_post(channel: Channel, route: str) -> None:
    client = Client()
    path = f"/phone/{channel.route_secret}/{route}"
    for method in (client.get, client.put, client.delete, client.options):
        assert method(path).status_code == 405


def test_an_inactive_tenant_has_no_routes(
    post: Post, tenant: Tenant, channel: Channel
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)
    assert post("ussd", {"sessionId": "s"}).status_code == 404


def test_another_tenants_route_changes_nothing(
    post: Post, network: Network, other_tenant: Tenant, horn: Workshop
) -> None:
    job = build_job(network, accepted=False)
    message = Message.objects.get(template="offer")
    Message.objects.update(provider_id="ATXid_1", state=MessageState.WIRED)
    theirs = build_channel(other_tenant).route_secret
    post("sms/delivery", {"id": "ATXid_1", "status": "Success"}, secret=theirs)
    sms = {"from": horn.phone, "text": f"YES {job.number}", "id": "x"}
    post("sms/inbound", sms, secret=theirs)
    ussd = {"sessionId": "s", "phoneNumber": horn.phone, "text": ""}
    said = post("ussd", ussd, secret=theirs)
    assert said.content.startswith(b"END This number is not registered with Addis.")
    message.refresh_from_db()
    assert message.state == MessageState.WIRED
    assert Message.objects.count() == 1
    assert not UssdSession.objects.exists()
    with tenant_scope(other_tenant):
        assert Message.objects.get().state == MessageState.UNMATCHED


@pytest.mark.parametrize("route", ROUTES)
def test_a_body_that_is_too_big(post: Post, route: str) -> None:
    big = b"text=" + b"a" * 17_000
    answer = post(route, big)
    if route == "ussd":
        assert answer.status_code == 200
        assert answer.content.startswith(b"END ")
    else:
        assert answer.status_code == (413 if route == "sms/inbound" else 200)
    assert not Message.objects.exists()


words = st.text(max_size=40)
fields = st.sampled_from(
    "sessionId phoneNumber networkCode serviceCode text from to id date status "
    "failureReason linkId".split()
)
bodies = st.one_of(
    st.binary(max_size=300),
    st.dictionaries(fields | words, words, max_size=12).map(
        lambda form: urlencode(form, errors="replace").encode()
    ),
    st.dictionaries(fields, st.binary(max_size=30), max_size=12).map(
        lambda form: urlencode(form).encode()
    ),
)
kinds = st.sampled_from(
    [
        FORM,
        f"{FORM}; charset=utf-16",
        f"{FORM}; charset=nonsense",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/json",
        "text/plain",
        "",
    ]
)


@given(route=st.sampled_from(ROUTES), body=bodies, kind=kinds)
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_anything_may_be_posted(
    post: Post, horn: Workshop, route: str, body: bytes, kind: str
) -> None:
    answer = post(route, body, kind)
    assert answer["Content-Type"].startswith("text/plain")
    said = answer.content.decode()
    if route == "ussd":
        assert answer.status_code == 200
        assert said[:4] in ("CON ", "END ")
    elif route == "sms/delivery":
        assert (answer.status_code, said) == (200, "OK")
    else:
        assert answer.status_code in (200, 400)


turns = st.lists(
    st.one_of(st.sampled_from(["0", "1", "2", "3", "4", "5", "6", "98"]), words),
    max_size=8,
)


@given(typed=turns, phone=st.one_of(st.none(), words))
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_anything_may_be_typed(
    post: Post,
    network: Network,
    horn: Workshop,
    typed: list[str],
    phone: str | None,
) -> None:
    if not Message.objects.exists():
        build_job(network, 60)
        build_job(network, 60, accepted=False)
    text, session = "", f"ATUid_{uuid.uuid4().hex}"
    for answer in ["", *typed]:
        text = f"{text}*{answer}" if text else answer
        form = {
            "sessionId": session,
            "phoneNumber": horn.phone if phone is None else phone,
            "text": text,
        }
        said = post("ussd", urlencode(form, errors="replace").encode())
        assert said.status_code == 200
        shown = said.content.decode()
        assert shown[:4] in ("CON ", "END ")
        assert len(shown) <= 154
        assert "hitilafu" not in shown
        assert "Something went wrong" not in shown


def test_the_stand_in_reaches_us_in_the_carriers_form(
    live_server: Any, transactional_db: None, standin: StandIn, settings: Any
) -> None:
    """USSD, an incoming SMS, its reply and the reply's reports, over real HTTP."""
    settings.AFRICASTALKING_URL = f"{standin.url}/version1"
    tenant = build_tenant("soko")
    with tenant_scope(tenant):
        network = build_network(tenant)
        job = build_job(network, accepted=False)
    channel = build_channel(tenant)
    base = f"{live_server.url}/phone/{channel.route_secret}"
    standin.register(
        "soko",
        sms_inbound_url=f"{base}/sms/inbound",
        sms_delivery_url=f"{base}/sms/delivery",
        ussd_url=f"{base}/ussd",
        ussd_code="*384*55#",
    )
    phone = network.horn[0].phone
    shown = standin.ussd(phone, "*384*55#")
    assert shown["reply"].startswith("CON Welcome Wanjiku.")
    assert shown["problem"] == ""
    offer = standin.answer(shown["session"], phone, "1")["reply"]
    assert f"{job.number} HP-01" in offer
    standin.faults(
        {"sms": [{"do": "inbound_twice"}, {"do": "report_reversed"}]}
        | {"ussd": {"do": "repeat"}}
    )
    standin.reply(phone, "SOKO", f"YES {job.number}")
    with tenant_scope(tenant):
        came = Message.objects.filter(direction=Direction.IN)
        until(came.exists)
        assert outbox.run("inbound", came.get().pk)
        reply = Message.objects.get(purpose__startswith="reply:")
        assert outbox.run("sms", reply.pk)
        until(lambda: Message.objects.get(pk=reply.pk).state == MessageState.DELIVERED)
        assert Message.objects.filter(direction=Direction.IN).count() == 1
        assert Job.objects.get(pk=job.pk).state == JobState.ACCEPTED
    (received,) = standin.sms(phone)
    assert received["text"] == reply.text
    # The carrier sends each USSD turn twice: the second answer is the first one's.
    again = standin.ussd(phone, "*384*55#")
    jobs = standin.answer(again["session"], phone, "2")["reply"]
    assert f"{job.number} HP-01 0/100" in jobs
