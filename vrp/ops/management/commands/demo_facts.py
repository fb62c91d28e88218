"""``manage.py demo_facts``: put today's addresses into an existing demo.json."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from vrp.demo.load import demo_facts, keys_of, write_facts


class Command(BaseCommand):
    help = "Refresh the addresses in demo.json; its API keys are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", required=True, help="the demo.json to refresh")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["out"])
        try:
            keys = keys_of(json.loads(path.read_text()))
        except (OSError, ValueError, KeyError) as error:
            raise CommandError(f"{path} is not a demo.json: {error}") from error
        write_facts(path, demo_facts(keys))
