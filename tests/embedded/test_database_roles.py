"""The roles of the database: who may change rows, and who may change the rules.

On the servers that ``bin/up`` starts; ``tests/served`` tries the same statements on
Debian's PostgreSQL.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest

from tests.embedded.forbidden import FORBIDDEN, refused
from vrp.embedded.folder import DataFolder
from vrp.embedded.options import PROJECT
from vrp.embedded.servers import APP, BACKUP, OWNER, Postgres
from vrp.embedded.supervisor import Supervisor

pytestmark = pytest.mark.faults


@contextmanager
def server(folder: DataFolder) -> Iterator[Postgres]:
    boss = Supervisor(folder.root, folder.logs, folder.state)
    postgres = Postgres(folder.postgres, folder.sockets, fast=True)
    try:
        postgres.prepare()
        boss.start(postgres.program())
        boss.wait_ready("postgres")
        yield postgres
    finally:
        boss.stop()


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def migrate(url: str) -> None:
    environment = {**os.environ, "DATABASE_URL": url}
    command = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True)


def test_an_older_folder_is_taken_along_and_its_rules_hold(folder: DataFolder) -> None:
    """Made by one role, as it was before: all of it goes to the owner, rows stay."""
    with server(folder) as postgres:
        postgres.ensure_role_and_database()
        migrate(postgres.url)
        ask(postgres.url, "CREATE TABLE older (id bigserial PRIMARY KEY, word text)")
        ask(postgres.url, "INSERT INTO older (word) VALUES ('kept')")

        postgres.ensure_roles()
        app, owner = postgres.url_as(APP), postgres.url_as(OWNER)
        migrate(owner)
        owners = "SELECT DISTINCT tableowner::text FROM pg_tables"
        assert ask(app, f"{owners} WHERE schemaname = 'public'") == [(OWNER,)]
        assert ask(app, "SELECT word FROM older") == [("kept",)]
        ask(app, "INSERT INTO older (word) VALUES ('more')")
        with pytest.raises(psycopg2.OperationalError, match="not permitted to log in"):
            ask(postgres.url, "SELECT 1")
        for statement in FORBIDDEN:
            assert refused(app, statement), statement

        # The next start finds everything done, and changes nothing.
        postgres.ensure_roles()
        assert ask(app, "SELECT count(*) FROM older") == [(2,)]


def test_each_role_is_what_it_should_be(folder: DataFolder) -> None:
    with server(folder) as postgres:
        postgres.ensure_roles()
        facts = ask(
            postgres.url_as(APP),
            "SELECT rolname::text, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole,"
            " rolreplication FROM pg_roles WHERE rolname LIKE 'vrp%' ORDER BY 1",
        )
        assert facts == [
            (APP, False, False, False, False, False),
            (BACKUP, False, True, False, False, False),
            (OWNER, False, False, False, False, False),
        ]
        ask(postgres.url_as(OWNER), "CREATE TABLE later (n int)")
        ask(postgres.url_as(APP), "INSERT INTO later VALUES (1)")
        assert ask(postgres.url_as(BACKUP), "SELECT n FROM later") == [(1,)]
        assert refused(postgres.url_as(BACKUP), "INSERT INTO later VALUES (2)")
