"""``manage.py resume_sending``: release what a restore has paused."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from vrp.errors import DomainError
from vrp.keeping.errors import KeepingError
from vrp.keeping.release import paused, release
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope


class Command(BaseCommand):
    help = "Show what is paused after a restore, or release it for one tenant."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("outbox", nargs="*", help="payout, sms, webhook")
        parser.add_argument("--tenant", help="slug; needed to release")
        parser.add_argument("--by", default="", help="your name, for the record")
        parser.add_argument(
            "--compared", default="", help="what you compared, such as the statement"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tenants = Tenant.objects.order_by("slug")
        if options["tenant"]:
            tenants = tenants.filter(slug=options["tenant"])
            if not tenants:
                raise CommandError(f"There is no tenant {options['tenant']!r}.")
        if not options["outbox"]:
            self._show(list(tenants))
            return
        if not (options["tenant"] and options["by"].strip()):
            raise CommandError(
                "Say for whom, and who you are: --tenant SLUG --by NAME."
            )
        tenant = tenants.get()
        with tenant_scope(tenant):
            try:
                released = release(
                    tenant=tenant,
                    names=options["outbox"],
                    note=options["compared"],
                    by=options["by"].strip(),
                )
            except (KeepingError, DomainError) as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"{tenant.slug}: released {', '.join(released) or 'nothing'}")

    def _show(self, tenants: list[Tenant]) -> None:
        found = False
        for tenant in tenants:
            with tenant_scope(tenant):
                for pause in paused(tenant):
                    found = True
                    self.stdout.write(f"{tenant.slug}: {pause}. {pause.reason}")
        if not found:
            self.stdout.write("Nothing is paused.")
