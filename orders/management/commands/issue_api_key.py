"""Make an API key for a buyer's system and print it, this once."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orders.enums import Scope
from orders.models import Buyer
from orders.services.keys import issue_key
from vrp.errors import DomainError
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope


class Command(BaseCommand):
    help = "Makes an API key for a buyer and prints it once; the console does the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="the tenant's slug")
        parser.add_argument("--buyer", required=True, help="the buyer's code")
        parser.add_argument("--name", required=True, help="which system uses it")
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            required=True,
            help="what it may do; give it several times for several",
        )
        parser.add_argument("--days", type=int, help="days until it ends; none: never")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']}.")
        days = options["days"]
        ends = None
        if days is not None:
            ends = timezone.now() + timedelta(days=max(min(days, 10_000), 0))
        with tenant_scope(tenant):
            buyer = Buyer.objects.filter(code=options["buyer"]).first()
            if buyer is None:
                raise CommandError(f"There is no buyer {options['buyer']}.")
            try:
                _, text = issue_key(
                    buyer=buyer,
                    name=options["name"],
                    scopes=options["scope"],
                    expires_at=ends,
                    actor=Actor.system("issue_api_key"),
                )
            except DomainError as error:
                raise CommandError(error.message) from error
        self.stdout.write(text)
