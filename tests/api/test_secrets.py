"""Secrets at rest: every one is encrypted or hashed, and a new key reaches all of them."""

import re
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from orders.models import WebhookEndpoint
from payments.models import WalletCredential
from phone.models import Channel
from tests.builders import build_network, build_tenant
from vrp.ops.beats import seal_clear_secrets
from vrp.secrets import (
    MARK,
    SealedField,
    open_text,
    seal_text,
    sealed_columns,
)
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
TELLING = re.compile(r"secret|key|token|credential|password|digest|hash|salt", re.I)
# What a telling name holds that is not sealed, and how it is kept.
TREATMENT = {
    "accounts.User.password": "hashed: Argon2",
    "accounts.RecoveryCode.salt": "public part of a hash",
    "accounts.RecoveryCode.digest": "hashed",
    "accounts.StaffSession.session_key": "Django's: signed cookie names it; ends by age",
    "accounts.Tries.key": "hash of whom the tries were for",
    "events.Event.hash": "checksum, public",
    "orders.ApiKey.digest": "hashed: HMAC of 160 random bits",
    "orders.IdempotencyRecord.key": "chosen by the buyer, no secret",
    "orders.IdempotencyRecord.api_key": "reference to a row",
    "orders.Order.po_key": "how PO numbers are compared",
    "orders.WebhookEndpoint.old_secret_until": "a moment",
}
OURS = ("vrp.", "artisans", "orders", "qc", "matching", "payments", "phone")


def test_every_secret_is_sealed_or_hashed() -> None:
    """A new column with a telling name must be sealed, or say here how it is kept."""
    untreated = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model.__module__.startswith(OURS)
        for field in model._meta.local_fields
        if TELLING.search(field.name)
        and not isinstance(field, SealedField)
        and f"{model._meta.label}.{field.name}" not in TREATMENT
    ]
    assert untreated == []
    sealed = {f"{model._meta.label}.{name}" for model, name in sealed_columns()}
    assert {
        "orders.WebhookEndpoint.secret",
        "orders.WebhookEndpoint.old_secret",
        "phone.Channel.api_key",
        "phone.Channel.route_secret",
        "phone.Channel.old_route_secret",
        "payments.WalletCredential.consumer_key",
        "payments.WalletCredential.consumer_secret",
        "payments.WalletCredential.initiator_password",
        "payments.WalletCredential.route_secret",
        "payments.WalletCredential.old_route_secret",
        "accounts.SecondFactor.secret_sealed",
    } <= sealed


def fill(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        buyer = build_network(tenant).buyer
        Channel.objects.create(
            tenant=tenant,
            username="u",
            api_key=seal_text(f"{tenant.slug}-carrier"),
            sender="S",
            ussd_code="*1#",
            route_secret=f"{tenant.pk}-{'a' * 40}",
        )
        WalletCredential.objects.create(
            tenant=tenant,
            shortcode="1",
            consumer_key=seal_text("ck"),
            consumer_secret=seal_text("cs"),
            initiator_name="i",
            initiator_password=seal_text("ip"),
            route_secret=f"{tenant.pk}-{'b' * 40}",
        )
        for number in range(3):
            WebhookEndpoint.objects.create(
                tenant=tenant,
                buyer=buyer,
                url="https://example.com",
                secret=seal_text(f"hook {number}"),
            )


def raw(tenant: Tenant, table: str, column: str) -> list[str]:
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def run(*arguments: str) -> str:
    said = StringIO()
    call_command("rotate_secrets", *arguments, stdout=said)
    return said.getvalue()


def test_a_new_key_reaches_everything_and_the_old_one_can_go(settings: Any) -> None:
    settings.FIELD_KEYS = ["old"]
    tenants = [build_tenant("soko"), build_tenant("addis")]
    for tenant in tenants:
        fill(tenant)
    Tenant.objects.filter(slug="addis").update(is_active=False)
    settings.FIELD_KEYS = ["new", "old"]
    with pytest.raises(CommandError, match="18 secrets are not under the newest key"):
        run("--check")
    said = run()
    assert "orders.WebhookEndpoint.secret: 6 re-encrypted" in said
    assert "The 1 older may be dropped now." in said
    before = raw(tenants[0], "orders_webhookendpoint", "secret")
    assert "orders.WebhookEndpoint.secret: 0 re-encrypted" in run()
    assert raw(tenants[0], "orders_webhookendpoint", "secret") == before
    settings.FIELD_KEYS = ["new"]
    for tenant in tenants:
        with tenant_scope(tenant):
            channel, wallet = Channel.objects.get(), WalletCredential.objects.get()
            assert open_text(channel.api_key) == f"{tenant.slug}-carrier"
            assert channel.route_secret == f"{tenant.pk}-{'a' * 40}"
            assert wallet.route_secret == f"{tenant.pk}-{'b' * 40}"
            assert open_text(wallet.initiator_password) == "ip"
            hooks = WebhookEndpoint.objects.order_by("pk")
            assert [open_text(hook.secret) for hook in hooks] == [
                "hook 0",
                "hook 1",
                "hook 2",
            ]
    assert "Every secret is under the newest key." in run("--check")


def test_what_no_key_opens_is_said_and_left_alone(
    tenant: Tenant, settings: Any
) -> None:
    settings.FIELD_KEYS = ["lost"]
    fill(tenant)
    settings.FIELD_KEYS = ["new", "old"]
    before = raw(tenant, "phone_channel", "api_key")
    with pytest.raises(CommandError, match="Keep the older keys"):
        run()
    assert raw(tenant, "phone_channel", "api_key") == before


def test_a_run_that_was_cut_off_goes_on_where_it_was(
    tenant: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIELD_KEYS = ["old"]
    fill(tenant)
    settings.FIELD_KEYS = ["new", "old"]
    from vrp import secrets

    monkeypatch.setattr(secrets, "BATCH", 1)
    real, calls = secrets.seal_text, []

    def cut_off(text: str) -> str:
        calls.append(text)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(text)

    monkeypatch.setattr(secrets, "seal_text", cut_off)
    with pytest.raises(KeyboardInterrupt):
        run()
    monkeypatch.setattr(secrets, "seal_text", real)
    with pytest.raises(CommandError, match="7 secrets"):
        run("--check")
    assert "Every secret is under the newest key." in run()


def test_addresses_of_an_older_version_are_read_and_then_sealed(
    tenant: Tenant,
) -> None:
    fill(tenant)
    clear = f"{tenant.pk}-{'a' * 40}"
    assert raw(tenant, "phone_channel", "route_secret")[0].startswith(MARK)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE phone_channel SET route_secret = %s", [clear])
    assert Channel.objects.get().route_secret == clear
    seal_clear_secrets()
    assert raw(tenant, "phone_channel", "route_secret")[0].startswith(MARK)
    assert Channel.objects.get().route_secret == clear
