"""``manage.py note_payment``: a payment on the statement that a restore has lost."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from artisans.models import Workshop
from payments.services.found import note_found
from vrp.accounts.models import User
from vrp.digits import plain_decimal
from vrp.errors import DomainError
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope


class Command(BaseCommand):
    help = (
        "Enter a payment that the wallet made and the restored database does not know."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug")
        parser.add_argument("--workshop", required=True, help="code, such as W-017")
        parser.add_argument("--amount", required=True, help="such as 560 or 560.00")
        parser.add_argument("--receipt", required=True, help="the wallet's receipt")
        parser.add_argument("--found-by", required=True, help="user of finance, maker")
        parser.add_argument("--checked-by", required=True, help="another, checker")

    def handle(self, *args: Any, **options: Any) -> None:
        amount = plain_decimal(options["amount"])
        if amount is None or amount * 100 != int(amount * 100):
            raise CommandError("Write the amount as 560 or 560.00.")
        try:
            tenant = Tenant.objects.get(slug=options["tenant"])
            finder = User.objects.get(username=options["found_by"])
            checker = User.objects.get(username=options["checked_by"])
            with tenant_scope(tenant):
                payout = note_found(
                    tenant=tenant,
                    workshop=Workshop.objects.get(code=options["workshop"]),
                    amount_minor=int(amount * 100),
                    receipt=options["receipt"],
                    found_by=finder,
                    checked_by=checker,
                    actor=Actor.user(finder),
                )
                words = f"{payout.run}: {payout.get_state_display()}, {payout.receipt}"
        except (Tenant.DoesNotExist, User.DoesNotExist, Workshop.DoesNotExist) as error:
            raise CommandError(str(error)) from error
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(words)
