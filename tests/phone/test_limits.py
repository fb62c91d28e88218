"""Rate limits of the carrier's routes: nobody is cut off, and nothing is lost."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from artisans.models import Workshop
from phone.models import Channel, DeliveryReport, Message, UssdSession
from phone.services import rotate_route
from tests.builders import SYSTEM, Network
from tests.phone.test_callbacks import Post, post
from vrp.errors import IllegalMove
from vrp.rates import Rate
from vrp.tenancy.models import Tenant

__all__ = ["post"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def rates(settings: Any) -> Any:
    """``rates(sms=2)``: so many a minute, counted under names of this test's own."""

    def limit(**limits: int) -> None:
        settings.SECRET_KEY = uuid.uuid4().hex
        changed = {name: Rate(count, 60) for name, count in limits.items()}
        settings.RATES = {**settings.RATES, **changed}

    return limit


def dial(post: Post, phone: str) -> str:
    form = {"sessionId": uuid.uuid4().hex, "phoneNumber": phone, "text": ""}
    answer = post("ussd", form)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    return answer.content.decode()


def test_who_dials_too_often_is_told_in_her_language(
    post: Post, network: Network, rates: Any
) -> None:
    rates(ussd_phone=3)
    swahili: Workshop = network.horn[2]
    english: Workshop = network.horn[0]
    said = [dial(post, swahili.phone) for _ in range(4)]
    assert all(one.startswith("CON ") for one in said[:3])
    assert said[3].startswith("END Simu ni nyingi kwa sasa.")
    assert dial(post, english.phone).startswith("CON ")
    for _ in range(3):
        said_last = dial(post, english.phone)
    assert said_last.startswith("END Too many calls just now.")
    # What was refused left nothing behind.
    assert UssdSession.objects.count() == 6


def test_a_tenant_that_dials_too_often_still_answers_in_form(
    post: Post, network: Network, rates: Any
) -> None:
    rates(ussd=2)
    said = [dial(post, shop.phone)[:4] for shop in network.horn]
    assert said == ["CON ", "CON ", "END "]


def test_too_many_sms_are_asked_for_again_and_none_is_lost(
    post: Post, network: Network, rates: Any
) -> None:
    rates(sms=2)
    forms = [
        {"from": shop.phone, "text": "JOBS", "id": f"in-{shop.pk}"}
        for shop in network.horn
    ]
    answers = [post("sms/inbound", form) for form in forms]
    assert [one.status_code for one in answers] == [200, 200, 503]
    assert int(answers[2]["Retry-After"]) > 0
    rates(sms=2)
    assert post("sms/inbound", forms[2]).status_code == 200
    assert Message.objects.count() == 3


def test_delivery_reports_are_taken_however_many(
    post: Post, channel: Channel, rates: Any
) -> None:
    rates(sms=1, ussd=1, ussd_phone=1, guess=1)
    for number in range(5):
        form = {"id": f"r{number}", "status": "Success"}
        assert post("sms/delivery", form).status_code == 200
    assert DeliveryReport.objects.count() == 5


def test_guessing_addresses_is_slowed_down_and_the_carrier_is_not(
    post: Post, channel: Channel, tenant: Tenant, rates: Any
) -> None:
    rates(guess=3)
    form = {"id": "r", "status": "Success"}
    wrong = [
        post("sms/delivery", form, secret=f"{tenant.pk}-{number:040x}").status_code
        for number in range(5)
    ]
    assert wrong == [404, 404, 404, 429, 429]
    assert post("sms/delivery", form, secret="nonsense").status_code == 429
    assert post("sms/delivery", form).status_code == 200
    other = Client().post("/phone/nonsense/ussd", form, REMOTE_ADDR="203.0.113.9")
    assert other.status_code == 404


def test_old_addresses_hold_as_long_as_was_said(
    post: Post, channel: Channel, tenant: Tenant
) -> None:
    form = {"id": "r", "status": "Success"}
    old = channel.route_secret
    new = rotate_route(tenant=tenant, actor=SYSTEM, keep=timedelta(days=7)).route_secret
    assert new != old
    for secret in (old, new):
        assert post("sms/delivery", form, secret=secret).status_code == 200
    with pytest.raises(IllegalMove):
        rotate_route(tenant=tenant, actor=SYSTEM, keep=timedelta(days=7))
    Channel.objects.update(old_route_until=timezone.now())
    assert post("sms/delivery", form, secret=old).status_code == 404
    rotate_route(tenant=tenant, actor=SYSTEM, keep=timedelta(days=7))
    newest = rotate_route(tenant=tenant, actor=SYSTEM, keep=timedelta(0)).route_secret
    assert post("sms/delivery", form, secret=new).status_code == 404
    assert post("sms/delivery", form, secret=newest).status_code == 200
