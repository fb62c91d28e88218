"""Make the base that migrations are proven against: schema and data of one commit.

    python tests/migrations/make_base.py COMMIT      (see README.md beside)

Checks the commit out beside the tree, migrates an empty database with it, fills it with
``world.py``, and writes ``base.sql.gz`` and ``base.txt``: the commit, and the migrations
that the linter takes as landed.
"""

import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg2

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
DATABASE = "vrp_base"


def main(commit: str) -> None:
    """Needs DATABASE_URL of a role that may create databases, and REDIS_URL."""
    from vrp.keeping.server import environment, program
    from vrp.settings import database_from

    url = os.environ["DATABASE_URL"]
    database = database_from(url)
    _fresh_database(database)
    database = database_from(url) | {"NAME": DATABASE}
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _run("git", "-C", str(ROOT), "worktree", "add", "--detach", str(tree), commit)
        try:
            _fill(tree, database)
        finally:
            _run("git", "-C", str(ROOT), "worktree", "remove", "--force", str(tree))
    connection = psycopg2.connect(dbname=DATABASE, **_who(database))
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
        landed = [row[0] for row in cursor.fetchall()]
        # pg_dump reads as this role: for its own throw-away copy the walls come down.
        cursor.execute(
            """SELECT format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', oid::regclass)
               FROM pg_class WHERE relforcerowsecurity"""
        )
        forced = [row[0] for row in cursor.fetchall()]
        for statement in forced:
            cursor.execute(statement)
    dump = subprocess.run(
        [program("pg_dump", connection), "--no-owner", "--no-privileges", "--inserts",
         "--rows-per-insert=500", "--schema=public"],
        env=environment(database), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    connection.close()
    again = "".join(f"{line.replace(' NO FORCE', ' FORCE')};\n" for line in forced)
    kept = [
        line
        for line in dump.splitlines()
        if not line.startswith(
            (
                "\\",
                "--",
                "CREATE SCHEMA",
                "COMMENT ON SCHEMA",
                "SET transaction_timeout",
            )
        )
    ]
    text = "\n".join(kept) + "\nSET search_path = public;\n" + again
    with gzip.GzipFile(HERE / "base.sql.gz", "wb", mtime=0) as stream:
        stream.write(text.encode())
    full = _said("git", "-C", str(ROOT), "rev-parse", commit)
    (HERE / "base.txt").write_text("\n".join([full, *landed]) + "\n")
    print(f"base.sql.gz: {(HERE / 'base.sql.gz').stat().st_size:,} bytes of {full}")


def _who(database: dict) -> dict:
    return {
        "user": database["USER"], "host": database["HOST"] or None,
        "password": database["PASSWORD"] or None, "port": database["PORT"] or None,
    }  # fmt: skip


def _fresh_database(database: dict) -> None:
    connection = psycopg2.connect(dbname=database["NAME"], **_who(database))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    connection.close()


def _fill(tree: Path, database: dict) -> None:
    url = os.environ["DATABASE_URL"]
    name = str(database["NAME"])
    before, _, query = url.partition("?")
    target = before.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")
    env = os.environ | {
        "DATABASE_URL": target,
        "DJANGO_SETTINGS_MODULE": "vrp.settings",
        # The secrets inside are sealed with this; the test that migrates uses it too.
        "SECRET_KEY": "only-for-tests",
    }
    code = (
        "import django, runpy; django.setup();"
        f"runpy.run_path({str(HERE / 'world.py')!r})['fill']()"
    )
    for command in (["manage.py", "migrate", "-v0"], ["-c", code]):
        subprocess.run([sys.executable, *command], cwd=tree, env=env, check=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _said(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main(sys.argv[1])
