"""The wallet's address: never limited when it is right, and replaced with overlap."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from payments.models import WalletCallback, WalletCredential
from payments.services.wallet import rotate_route
from tests.builders import SYSTEM
from vrp.rates import Rate
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db


def call(secret: str, number: int = 0) -> int:
    body = f'{{"Result": {{"ResultCode": 0, "n": {number}}}}}'
    answer = Client().post(f"/pay/{secret}/result", body, "application/json")
    return answer.status_code


def test_results_are_taken_however_many_and_guesses_are_not(
    credential: WalletCredential, tenant: Tenant, settings: Any
) -> None:
    settings.SECRET_KEY = uuid.uuid4().hex
    settings.RATES = dict.fromkeys(settings.RATES, Rate(3, 60))
    wrong = [call(f"{tenant.pk}-{number:040x}") for number in range(5)]
    assert wrong == [404, 404, 404, 429, 429]
    assert [call(credential.route_secret, n) for n in range(6)] == [200] * 6
    assert WalletCallback.objects.count() == 6


def test_results_of_what_was_sent_before_still_arrive(
    credential: WalletCredential, tenant: Tenant
) -> None:
    old = credential.route_secret
    new = rotate_route(tenant=tenant, actor=SYSTEM, keep=timedelta(days=7)).route_secret
    assert new != old
    assert [call(old, 1), call(new, 2)] == [200, 200]
    WalletCredential.objects.update(old_route_until=timezone.now())
    assert [call(old, 3), call(new, 4)] == [404, 200]
