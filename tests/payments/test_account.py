"""Entering the account with the wallet operator."""

import io

import pytest
from django.core.management import CommandError, call_command

from payments.models import WalletCredential
from vrp.events.models import Event
from vrp.secrets import open_text
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db
ARGUMENTS = ["--shortcode", "600123", "--initiator", "payer"]


def enter(secrets: str, monkeypatch: pytest.MonkeyPatch, slug: str = "soko") -> str:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(secrets))
    call_command("set_wallet", "--tenant", slug, *ARGUMENTS, stdout=out)
    return out.getvalue()


def test_the_account_is_entered_and_changed(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = enter("key-1\nsecret-1\npassword-1\n", monkeypatch)
    first = WalletCredential.objects.get()
    assert "600123" in said
    assert first.initiator_name == "payer"
    WalletCredential.objects.update(is_stopped=True)
    again = enter("key-2\r\nsecret-2\r\npassword-2", monkeypatch)
    assert "finance starts it again" in again
    second = WalletCredential.objects.get()
    assert second.route_secret == first.route_secret
    sealed = (second.consumer_key, second.consumer_secret, second.initiator_password)
    assert [open_text(one) for one in sealed] == ["key-2", "secret-2", "password-2"]
    assert not any("-2" in text for text in (*sealed, said, again))
    assert Event.objects.filter(name="wallet.account_set").count() == 2


@pytest.mark.parametrize("secrets", ["", "key\nsecret\n", "key\n\npassword\n"])
def test_without_all_three_secrets_nothing_is_entered(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, secrets: str
) -> None:
    with pytest.raises(CommandError, match="Consumer secret"):
        enter(secrets, monkeypatch)
    assert not WalletCredential.objects.exists()


def test_an_unknown_tenant_is_named(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match="no tenant nobody"):
        enter("a\nb\nc\n", monkeypatch, slug="nobody")
