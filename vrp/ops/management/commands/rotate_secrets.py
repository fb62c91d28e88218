"""Seal every stored secret with the newest of ``VRP_FIELD_KEYS``."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model

from vrp.secrets import Resealed, is_tenants, reseal, sealed_columns
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope


class Command(BaseCommand):
    help = (
        "Re-encrypts stored secrets with the first key of VRP_FIELD_KEYS, in batches; can "
        "be cut off and begun again. Says what remains under older keys: drop those only "
        "when it says that nothing does. Exit code 1 if anything remains or cannot be "
        "opened with the keys there are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only say what remains"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        change = not options["check"]
        remains = 0
        for model, name in sealed_columns():
            found = _everywhere(model, name, change)
            remains += found.left + found.lost
            self.stdout.write(
                f"{found.column}: {found.done} re-encrypted, {found.left} under older "
                f"keys, {found.lost} that no key opens"
            )
        if remains:
            raise CommandError(
                f"{remains} secrets are not under the newest key. Keep the older keys."
            )
        older = len(settings.FIELD_KEYS) - 1
        self.stdout.write(
            "Every secret is under the newest key."
            + (f" The {older} older may be dropped now." if older else "")
        )


def _everywhere(model: type[Model], name: str, change: bool) -> Resealed:
    """One column, for all tenants together."""
    if not is_tenants(model):
        return reseal(model, name, change=change)
    total = Resealed(f"{model._meta.label}.{name}")
    for tenant in Tenant.objects.order_by("pk"):
        with tenant_scope(tenant):
            found = reseal(model, name, change=change)
        total.done += found.done
        total.lost += found.lost
        total.left += found.left
    return total
