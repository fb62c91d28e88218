"""Entering the account with the carrier."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from phone.models import Channel
from vrp.secrets import open_text
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db
ARGUMENTS = ["--username", "soko", "--sender", "SOKO", "--ussd-code", "*384*55#"]


def test_the_account_is_entered_and_changed(
    tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AFRICASTALKING_API_KEY", "first")
    call_command("set_channel", "--tenant", "soko", *ARGUMENTS)
    secret = Channel.objects.get().route_secret
    assert f"/phone/{secret}/sms/inbound" in capsys.readouterr().out
    assert len(secret.partition("-")[2]) == 40
    Channel.objects.update(
        stopped_until=timezone.now() + timedelta(minutes=9), stopped_reason="x"
    )
    monkeypatch.setenv("AFRICASTALKING_API_KEY", "second")
    call_command("set_channel", "--tenant", "soko", *ARGUMENTS)
    channel = Channel.objects.get()
    assert (channel.route_secret, channel.stopped_until) == (secret, None)
    assert "second" not in channel.api_key
    assert open_text(channel.api_key) == "second"


def test_without_a_key_or_tenant_nothing_is_entered(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AFRICASTALKING_API_KEY", raising=False)
    for slug in ("soko", "nobody"):
        with pytest.raises(CommandError):
            call_command("set_channel", "--tenant", slug, *ARGUMENTS)
    assert not Channel.objects.exists()
