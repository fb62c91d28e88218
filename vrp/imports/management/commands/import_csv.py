"""``manage.py import_csv --tenant T --kind workshops FILE``: the console's import."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from vrp.errors import Invalid
from vrp.events.services import Actor
from vrp.imports.reader import MAX_BYTES
from vrp.imports.services import (
    MAX_SHOWN,
    Outcome,
    importers,
    load_content,
    preview,
)
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope


class Command(BaseCommand):
    help = "Load a CSV file, all of it or nothing; the same file twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = [importer.kind for importer in importers()]
        parser.add_argument("--tenant", required=True, help="slug")
        parser.add_argument("--kind", required=True, choices=kinds)
        parser.add_argument("--dry-run", action="store_true", help="say, do not write")
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        try:
            with options["file"].open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}.") from error
        work = preview if options["dry_run"] else load_content
        with tenant_scope(tenant):
            try:
                outcome = work(
                    tenant=tenant,
                    kind=options["kind"],
                    content=content,
                    actor=Actor.system("import_csv"),
                )
            except Invalid as error:
                raise CommandError(error.message) from error
        self._report(outcome, dry_run=options["dry_run"])

    def _report(self, outcome: Outcome, *, dry_run: bool) -> None:
        for error in outcome.errors[:MAX_SHOWN]:
            place = f"line {error['line']}" if error["line"] else "file"
            self.stderr.write(f"{place}, {error['column']}: {error['reason']}")
        if outcome.errors:
            raise CommandError(
                f"{len(outcome.errors)} rows are not acceptable; nothing was loaded."
            )
        done = "would be" if dry_run else "are"
        self.stdout.write(
            f"{outcome.created} {done} new, {outcome.changed} changed, "
            f"{outcome.unchanged} unchanged."
        )
