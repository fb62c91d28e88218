"""``manage.py restore FILE``: a backup back into a database, proven and held still."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from vrp.keeping.errors import KeepingError
from vrp.keeping.load import restore


class Command(BaseCommand):
    help = "Restore FILE as the role that owns the tables; nothing is sent afterwards."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--replace-everything-in-the-database",
            action="store_true",
            help="restore although the database has tenants or users: they are gone",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            restore(
                options["file"].resolve(),
                settings.DATABASES["default"],
                replace=options["replace_everything_in_the_database"],
                say=self.stdout.write,
            )
        except (KeepingError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            "Nothing is sent until somebody has compared what happened since, and runs "
            "manage.py resume_sending (docs/operations.md, Restore)."
        )
