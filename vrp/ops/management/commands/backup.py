"""``manage.py backup FILE``: one whole copy of the database, with its manifest."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from vrp.keeping.dump import backup
from vrp.keeping.errors import KeepingError
from vrp.keeping.manifest import beside
from vrp.settings import database_from


class Command(BaseCommand):
    help = "Write FILE (pg_dump's custom format) and FILE.json, its manifest."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--database",
            metavar="URL",
            help="as which role; default: DATABASE_URL",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        database = dict(settings.DATABASES["default"])
        if options["database"]:
            database = database_from(options["database"])
        target = options["file"].resolve()
        try:
            sheet = backup(target, database)
        except (KeepingError, OSError) as error:
            raise CommandError(str(error)) from error
        rows = sum(
            count
            for held in (sheet.figures, *sheet.figures["tenants"].values())
            for count in held["rows"].values()
        )
        self.stdout.write(
            f"{target}: {sheet.dump_bytes:,} bytes, {rows:,} rows of "
            f"{len(sheet.figures['tenants'])} tenants as of {sheet.taken_at}.\n"
            f"Keep {beside(target).name} with it, and the keys (VRP_FIELD_KEYS, "
            "SECRET_KEY) somewhere else: without them it cannot be restored."
        )
