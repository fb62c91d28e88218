"""Write ``docs/openapi.json`` anew after a change of the API."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.api.document import as_text


class Command(BaseCommand):
    help = "Write the buyers' OpenAPI document to docs/openapi.json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            nargs="?",
            type=Path,
            default=settings.BASE_DIR / "docs" / "openapi.json",
        )
        parser.add_argument(
            "--check", action="store_true", help="only say whether it is up to date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path, text = options["file"], as_text()
        if not options["check"]:
            path.write_text(text)
            self.stdout.write(f"Wrote {path}.")
        elif not path.exists() or path.read_text() != text:
            raise CommandError(f"{path} is stale: run manage.py export_openapi")
