"""``manage.py migrate``: Django's, but it never makes a live system wait for a lock.

A migration that does not get its lock within seconds gives up, lets everybody pass, and
is tried again; each is a transaction of its own, so nothing is half done.
"""

import time
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate
from django.db import OperationalError, connections

LOCK_NOT_AVAILABLE = "55P03"


class Command(migrate.Command):
    help = f"{migrate.Command.help} Waits for locks briefly, and tries again."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-seconds", type=float, default=3.0, help="longest wait for a lock"
        )
        parser.add_argument(
            "--tries", type=int, default=20, help="attempts before giving up"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        seconds = options["lock_seconds"]

        def patient(
            execute: Any, sql: Any, params: Any, many: Any, context: Any
        ) -> Any:
            """Building beside the work makes nobody wait: there is no hurry."""
            if " CONCURRENTLY " not in str(sql).upper():
                return execute(sql, params, many, context)
            with connection.connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = 0")
                try:
                    return execute(sql, params, many, context)
                finally:
                    cursor.execute(_wait(seconds))

        for left in reversed(range(options["tries"])):
            with connection.cursor() as cursor:
                # An index on a large table takes as long as it takes.
                cursor.execute(f"SET statement_timeout = 0; {_wait(seconds)}")
            try:
                with connection.execute_wrapper(patient):
                    super().handle(*args, **options)
            except OperationalError as error:
                code = getattr(error.__cause__, "pgcode", "")
                if code != LOCK_NOT_AVAILABLE or not left:
                    raise
                self.stderr.write(
                    f"Somebody holds a table; trying again ({left} tries left)."
                )
                time.sleep(seconds)
            else:
                break
        if connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout; RESET statement_timeout")


def _wait(seconds: float) -> str:
    return f"SET lock_timeout = '{round(seconds * 1000)}ms'"
