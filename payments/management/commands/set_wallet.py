"""Enter a tenant's account with the mobile-money operator."""

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from payments.services.wallet import set_credential
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

SECRETS = ("Consumer key", "Consumer secret", "Initiator's password")


class Command(BaseCommand):
    help = (
        "Sets a tenant's account with the wallet operator. Consumer key, consumer "
        "secret and initiator's password are asked for, or read from the standard "
        "input, one on each line in this order; they are never arguments."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="the tenant's slug")
        parser.add_argument("--shortcode", required=True, help="that the money leaves")
        parser.add_argument(
            "--initiator", required=True, help="the API operator's name"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']}.")
        key, secret, password = _secrets()
        with tenant_scope(tenant):
            credential = set_credential(
                tenant=tenant,
                shortcode=options["shortcode"],
                consumer_key=key,
                consumer_secret=secret,
                initiator_name=options["initiator"],
                initiator_password=password,
                actor=Actor.system("set_wallet"),
            )
        self.stdout.write(
            f"{tenant.slug} pays from {credential.shortcode} by {settings.DARAJA_URL}."
        )
        if credential.is_stopped:
            self.stdout.write(
                "The channel is stopped: finance starts it again on Payouts."
            )


def _secrets() -> list[str]:
    """Three values, none empty; raises ``CommandError`` otherwise."""
    if sys.stdin.isatty():
        values = [getpass(f"{name}: ") for name in SECRETS]
    else:
        values = sys.stdin.read().splitlines()
    values = [value.strip() for value in values]
    if len(values) != len(SECRETS) or not all(values):
        raise CommandError(
            f"Give {', '.join(SECRETS)}: one on each line of the standard input."
        )
    return values
