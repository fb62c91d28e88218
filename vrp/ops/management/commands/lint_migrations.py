"""``manage.py lint_migrations``: is every new migration safe on a live system?"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from vrp.ops.migration_rules import landed, lint


class Command(BaseCommand):
    help = "Judge the migrations that have not landed yet; needs no database."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--base",
            type=Path,
            default=settings.BASE_DIR / "tests" / "migrations" / "base.txt",
            help="file that names the landed migrations",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        seen, offences = lint(landed(options["base"]))
        for offence in offences:
            self.stderr.write(str(offence))
        if offences:
            raise CommandError(
                f"{len(offences)} offences (docs/operations.md, Upgrade)."
            )
        self.stdout.write(f"{len(seen)} new migrations, all safe on a live system.")
