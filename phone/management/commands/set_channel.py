"""Enter a tenant's Africa's Talking account and print the URLs to give to the carrier."""

import os
import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from phone.services import set_channel
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

KEY = "AFRICASTALKING_API_KEY"


class Command(BaseCommand):
    help = (
        "Sets a tenant's account with the carrier. The API key is read from the "
        f"environment variable {KEY}, or asked for; it is never an argument."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="the tenant's slug")
        parser.add_argument("--username", required=True)
        parser.add_argument("--sender", required=True, help="sender ID or shortcode")
        parser.add_argument("--ussd-code", required=True, help="such as *384*55#")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']}.")
        key = os.environ.get(KEY) or (getpass("API key: ") if _asks() else "")
        if not key:
            raise CommandError(f"Set {KEY}.")
        with tenant_scope(tenant):
            channel = set_channel(
                tenant=tenant,
                username=options["username"],
                api_key=key,
                sender=options["sender"],
                ussd_code=options["ussd_code"],
                actor=Actor.system("set_channel"),
            )
        base = f"{settings.PUBLIC_URL}/phone/{channel.route_secret}"
        self.stdout.write("Enter these in the carrier's dashboard, and nowhere else:")
        for what, path in (
            ("USSD", "ussd"),
            ("Incoming messages", "sms/inbound"),
            ("Delivery reports", "sms/delivery"),
        ):
            self.stdout.write(f"  {what}: {base}/{path}")


def _asks() -> bool:
    return sys.stdin.isatty()
