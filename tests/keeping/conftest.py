"""A database of its own for each copy: owner and backup role as in production."""

import gzip
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings

ROOT = Path(__file__).parent.parent.parent
BACKUP = "vrp_backup"
BASE = ROOT / "tests" / "migrations" / "base.sql.gz"
# The secrets in the base are sealed with this key (tests/migrations/make_base.py).
BASE_KEY = "only-for-tests"


@dataclass
class Place:
    """One database on the tests' server, and ``manage.py`` speaking to it."""

    name: str
    more: dict[str, str] = field(default_factory=lambda: {"SECRET_KEY": BASE_KEY})

    @property
    def host(self) -> str:
        return str(settings.DATABASES["default"]["HOST"])

    def url(self, role: str = "") -> str:
        role = role or settings.DATABASES["default"]["USER"]
        return f"postgresql://{role}@/{self.name}?host={self.host}"

    def manage(self, *arguments: str, role: str = "", **more: str) -> str:
        """Run a command in a process of its own; returns all it said."""
        done = self.try_manage(*arguments, role=role, **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def try_manage(
        self, *arguments: str, role: str = "", **more: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *self.command(*arguments)],
            cwd=ROOT, env=self.environment(role) | more,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def command(self, *arguments: str) -> list[str]:
        return ["manage.py", *arguments]

    def environment(self, role: str = "") -> dict[str, str]:
        return os.environ | {"DATABASE_URL": self.url(role)} | self.more

    def python(self, code: str) -> None:
        """Run Python lines with Django set up on this database."""
        done = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{code}"],
            cwd=ROOT, env=self.environment(), capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask past row-level security."""
        connection = psycopg2.connect(host=self.host, user=BACKUP, dbname=self.name)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query, values or None)
                return cursor.fetchall()
        finally:
            connection.close()

    def write(self, statement: str) -> None:
        """Change something as the superuser, behind everybody's back."""
        as_superuser(self.host, statement, self.name)

    def load_base(self) -> None:
        """Schema and data of the state landed last, as its owner would have them."""
        connection = psycopg2.connect(
            host=self.host, user=settings.DATABASES["default"]["USER"], dbname=self.name
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(gzip.decompress(BASE.read_bytes()).decode())
        connection.close()


def as_superuser(host: str, statement: str, database: str = "postgres") -> None:
    connection = psycopg2.connect(host=host, user="postgres", dbname=database)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


@pytest.fixture(scope="session")
def new_place() -> Iterator[Callable[[], Place]]:
    """``new_place()``: an empty database, dropped at the end."""
    base = settings.DATABASES["default"]
    made: list[str] = []
    as_superuser(
        base["HOST"],
        f"""DO $$ BEGIN
            CREATE ROLE {BACKUP} LOGIN BYPASSRLS; GRANT pg_read_all_data TO {BACKUP};
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$""",
    )

    def make() -> Place:
        name = f"kept_{uuid.uuid4().hex[:12]}"
        as_superuser(base["HOST"], f'CREATE DATABASE {name} OWNER "{base["USER"]}"')
        made.append(name)
        return Place(name)

    yield make
    for name in made:
        as_superuser(base["HOST"], f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
