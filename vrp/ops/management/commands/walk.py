"""``manage.py walk``: one order all the way through the running system, told aloud.

``manage.py`` itself runs it without settings; this command is for ``manage.py help``
and for callers within Django.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from vrp.walk.cli import ABOUT, add_options, tell


class Command(BaseCommand):
    help = ABOUT
    # It must not need the database: everything is learned over HTTP.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        status = tell(
            options["data"],
            quiet=options["quiet"],
            po=options["po"],
            quantity=options["quantity"],
            webhook=not options["no_webhook"],
        )
        if status:
            raise SystemExit(status)
