"""The real servers: kept data, recovery from crashes, a role that is nobody special."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import parse_qs, urlsplit

import psycopg2
import pytest
import redis

from vrp.embedded.errors import StartError
from vrp.embedded.folder import DataFolder
from vrp.embedded.servers import Postgres, Redis
from vrp.embedded.supervisor import Supervisor

pytestmark = pytest.mark.faults


def postgres_of(folder: DataFolder, fast: bool = True) -> Postgres:
    return Postgres(folder.postgres, folder.sockets, fast=fast)


@contextmanager
def running(
    folder: DataFolder, fast: bool = True
) -> Iterator[tuple[Supervisor, Postgres, Redis]]:
    """Both servers under a supervisor of their own, as bin/up starts them."""
    boss = Supervisor(folder.root, folder.logs, folder.state)
    postgres = postgres_of(folder, fast)
    store = Redis(folder.redis, folder.sockets)
    try:
        postgres.prepare()
        boss.start(postgres.program())
        boss.start(store.program())
        boss.wait_ready("postgres", "redis")
        postgres.ensure_role_and_database()
        yield boss, postgres, store
    finally:
        boss.stop()


def ask(postgres: Postgres, statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(postgres.url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def test_the_role_is_plain_and_may_create_databases(folder: DataFolder) -> None:
    with running(folder) as (_, postgres, _store):
        [row] = ask(
            postgres,
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, current_user,"
            " current_database(), pg_get_userbyid(datdba),"
            " pg_encoding_to_char(encoding)"
            " FROM pg_roles, pg_database"
            " WHERE rolname = current_user AND datname = current_database()",
        )
        assert row == (False, False, True, False, "vrp", "vrp", "vrp", "UTF8")
        [(listening,)] = ask(postgres, "SHOW listen_addresses")
        assert listening == ""


def test_a_refused_statement_is_not_logged_with_its_values(folder: DataFolder) -> None:
    with running(folder) as (boss, postgres, _store):
        ask(postgres, "CREATE TABLE sent (phone text UNIQUE)")
        insert = "INSERT INTO sent VALUES ('+254712345678')"
        ask(postgres, insert)
        with pytest.raises(psycopg2.errors.UniqueViolation):
            ask(postgres, insert)
        log = folder.logs / "postgres.log"
        assert boss.wait_until(lambda: "duplicate key" in log.read_text(), 5)
        assert "712345678" not in log.read_text()
        assert folder.logs.stat().st_mode & 0o077 == 0


def test_a_second_start_keeps_rows_and_queue(folder: DataFolder) -> None:
    with running(folder) as (_, postgres, store):
        ask(postgres, "CREATE TABLE kept (n int)")
        ask(postgres, "INSERT INTO kept VALUES (7)")
        with redis.Redis.from_url(store.url) as client:
            client.rpush("celery", "job")
    with running(folder) as (_, postgres, store):
        assert ask(postgres, "SELECT n FROM kept") == [(7,)]
        with redis.Redis.from_url(store.url) as client:
            assert client.lrange("celery", 0, -1) == [b"job"]


def test_a_killed_server_is_back_with_what_was_committed(folder: DataFolder) -> None:
    # Not fast: that promises nothing about the last commits before a crash.
    with running(folder, fast=False) as (boss, postgres, _store):
        ask(postgres, "CREATE TABLE kept (n int)")
        ask(postgres, "INSERT INTO kept VALUES (7)")
        child = boss.children["postgres"]
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        assert boss.wait_until(lambda: child.state == "restarting", 5)
        boss.wait_ready("postgres")
        assert ask(postgres, "SELECT n FROM kept") == [(7,)]


def test_a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle(
    folder: DataFolder, bystander: subprocess.Popen[bytes]
) -> None:
    with running(folder):
        pass
    pid_file = folder.postgres / "postmaster.pid"
    pid_file.write_text(
        f"{bystander.pid}\n{folder.postgres}\n1\n5432\n\n\n1 1\nready\n"
    )
    # A socket file without a server behind it, as a crash leaves it.
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(folder.sockets / "redis.sock"))
    with running(folder) as (_, postgres, _store):
        assert ask(postgres, "SELECT 1") == [(1,)]
    assert bystander.poll() is None


def test_a_postgres_that_somebody_else_runs_there_is_left_alone(
    folder: DataFolder,
) -> None:
    with running(folder) as (boss, _, _store):
        with pytest.raises(StartError, match="did not start"):
            postgres_of(folder).program().before_start()
        assert boss.children["postgres"].state == "running"


def test_a_half_made_cluster_is_made_again(folder: DataFolder) -> None:
    half = folder.root / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with running(folder) as (_, postgres, _store):
        assert ask(postgres, "SELECT 1") == [(1,)]
    assert not half.exists()


def test_a_cluster_of_another_version_is_refused(folder: DataFolder) -> None:
    folder.postgres.mkdir()
    (folder.postgres / "PG_VERSION").write_text("12\n")
    with pytest.raises(StartError, match="made by PostgreSQL 12"):
        postgres_of(folder).prepare()


def test_the_urls_are_of_the_promised_form(folder: DataFolder) -> None:
    url = urlsplit(postgres_of(folder).url)
    assert (url.scheme, url.username, url.path) == ("postgresql", "vrp", "/vrp")
    assert parse_qs(url.query) == {"host": [str(folder.sockets / "pg")]}
    store = Redis(folder.redis, folder.sockets).url
    assert store == f"unix://{folder.sockets}/redis.sock?db=0"
