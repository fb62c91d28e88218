"""``manage.py load_demo``: two demo tenants, once, on an empty system."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from vrp.demo.load import demo_facts, load_demo, write_facts
from vrp.tenancy.models import Tenant


class Command(BaseCommand):
    help = "Load the demo tenants and write what scripts need to know about them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", required=True, help="where demo.json goes")

    def handle(self, *args: Any, **options: Any) -> None:
        if Tenant.objects.exists():
            raise CommandError(
                "There are tenants already; the demo is loaded on an empty system only."
            )
        write_facts(Path(options["out"]), demo_facts(load_demo()))
        self.stdout.write("Loaded soko-demo and addis-leather.")
