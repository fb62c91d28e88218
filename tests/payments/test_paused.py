"""After a restore everybody is told that nothing is sent."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from matching.models import Plan
from tests.builders import SYSTEM
from vrp.accounts.enums import Role
from vrp.events.models import SendingPause
from vrp.events.pausing import pause_after_restore
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db
WORDS = "Sending is paused after a restore"


@pytest.mark.parametrize("role", list(Role))
def test_every_role_reads_it_on_today_and_where_something_leaves(
    tenant: Tenant, signed_in: Callable[..., Client], role: Role
) -> None:
    plan = Plan.objects.create(
        tenant=tenant, number=1, min_lot=30, max_lot=100, fairness=0
    )
    client = signed_in(role)
    pages = ["", "payouts/", "messages/", "plans/", f"plans/{plan.pk}/"]

    def told() -> dict[str, Any]:
        return {page: WORDS in client.get(f"/ops/{page}").text for page in pages}

    assert told() == dict.fromkeys(pages, False)
    pause_after_restore(tenant=tenant, reason="A backup was restored.", actor=SYSTEM)
    assert told() == dict.fromkeys(pages, True)
    SendingPause.objects.all().delete()
    assert told() == dict.fromkeys(pages, False)


def test_the_command_says_what_is_paused_and_when_nothing_is(tenant: Tenant) -> None:
    def said() -> str:
        out = io.StringIO()
        call_command("resume_sending", stdout=out)
        return out.getvalue()

    assert said() == "Nothing is paused.\n"
    pause_after_restore(tenant=tenant, reason="A backup was restored.", actor=SYSTEM)
    assert said().count("soko: ") == 3
    assert "Nothing" not in said()
