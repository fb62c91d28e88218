"""``manage.py verify_events``: prove that no recorded event was changed or removed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from vrp.events.models import Event
from vrp.events.seal import seal, verify
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope


class Command(BaseCommand):
    help = "Walk the hash chain of each tenant's events; name the first broken line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", help="slug; without it every tenant is checked")
        parser.add_argument(
            "--seal", action="store_true", help="seal open events before walking"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tenants = Tenant.objects.order_by("slug")
        if options["tenant"]:
            tenants = tenants.filter(slug=options["tenant"])
            if not tenants:
                raise CommandError(f"There is no tenant {options['tenant']!r}.")
        broken = False
        for tenant in tenants:
            with tenant_scope(tenant):
                while options["seal"] and seal(tenant):
                    pass
                held, fault = verify(tenant)
                waiting = Event.objects.filter(number__isnull=True).count()
            broken = broken or bool(fault)
            verdict = f"BROKEN: {fault}" if fault else "holds"
            self.stdout.write(
                f"{tenant.slug}: {held} lines sealed, {waiting} to be sealed; {verdict}"
            )
        if broken:
            raise CommandError("The record was tampered with at the line named above.")
