"""Give a tenant new callback addresses, with the carrier or with the wallet operator."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from payments.services import wallet
from phone import services as phone
from vrp.errors import DomainError
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope


class Command(BaseCommand):
    help = (
        "Makes a new secret for the addresses at which the carrier (phone) or the wallet "
        "operator (wallet) calls us. The old addresses hold for some days more; --days 0 "
        "ends them at once, when they have leaked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("which", choices=["phone", "wallet"])
        parser.add_argument("--tenant", required=True, help="the tenant's slug")
        parser.add_argument("--days", type=int, default=7, help="0 to 90; default 7")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']}.")
        change: dict[str, Any] = {
            "tenant": tenant,
            "actor": Actor.system("rotate_routes"),
            "keep": timedelta(days=min(max(options["days"], -1), 1000)),
        }
        try:
            with tenant_scope(tenant):
                if options["which"] == "phone":
                    self._phone(phone.rotate_route(**change).route_secret)
                else:
                    wallet.rotate_route(**change)
                    self.stdout.write(
                        "New requests name the new address by themselves; there is "
                        "nothing to enter at the operator's."
                    )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"The old addresses hold for {options['days']} more days."
            if options["days"]
            else "The old addresses are closed."
        )

    def _phone(self, secret: str) -> None:
        self.stdout.write("Enter these in the carrier's dashboard, and nowhere else:")
        for what, path in (
            ("USSD", "ussd"),
            ("Incoming messages", "sms/inbound"),
            ("Delivery reports", "sms/delivery"),
        ):
            self.stdout.write(f"  {what}: {settings.PUBLIC_URL}/phone/{secret}/{path}")
