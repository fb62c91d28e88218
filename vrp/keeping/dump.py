"""Taking a backup: one consistent dump and the figures of that same moment."""

import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vrp.keeping import figures, manifest, server
from vrp.keeping.errors import KeepingError


def backup(target: Path, database: Mapping[str, Any]) -> manifest.Manifest:
    """Write ``target`` and its manifest; both appear whole, or not at all.

    The figures are read in the very snapshot that pg_dump copies. Raises
    ``KeepingError`` when the role would not see every row, and when the file exists.
    """
    for path in (target, manifest.beside(target)):
        if path.exists():
            raise KeepingError(f"{path} exists already. Choose another name.")
    connection = server.connect(database)
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            _require_full_sight(cursor, database)
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
            taken_at = datetime.now(UTC)
            counted = figures.gather(cursor)
            migrations = figures.migrations(cursor)
        fresh = target.with_name(f".{target.name}.part-{os.getpid()}")
        try:
            _dump(fresh, snapshot, connection, database)
            digest, size = manifest.digest_of(fresh)
            sheet = manifest.Manifest(
                taken_at=taken_at.isoformat(timespec="seconds"),
                code=manifest.code_version(),
                server=server.server_version(connection),
                database=str(database["NAME"]),
                dump_sha256=digest,
                dump_bytes=size,
                migrations=migrations,
                field_keys=figures.field_key_prints(),
                secret_key=figures.secret_key_prints()[0],
                figures=counted,
            )
            _publish(fresh, target, sheet)
        finally:
            fresh.unlink(missing_ok=True)
    finally:
        connection.close()
    return sheet


def _require_full_sight(cursor: Any, database: Mapping[str, Any]) -> None:
    if not figures.may_read_everything(cursor):
        raise KeepingError(
            f"The role {database['USER']!r} is bound by row-level security, so its dump "
            "would leave rows out. Take backups as vrp_backup: give that role's URL with "
            "--database, or in DATABASE_URL."
        )


def _dump(
    fresh: Path, snapshot: str, connection: Any, database: Mapping[str, Any]
) -> None:
    """Run pg_dump into a file that only its owner can read."""
    command = [
        server.program("pg_dump", connection),
        "--format=custom",
        "--schema=public",
        f"--snapshot={snapshot}",
        "--no-password",
        # A migration that holds a table for longer than this ends the backup instead
        # of making the whole system queue up behind it.
        "--lock-wait-timeout=30s",
    ]
    # Made here first: pg_dump would let others read it, and keeps what is there.
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        done = subprocess.run(  # noqa: S603  # our own list
            [*command, f"--file={fresh}"],
            env=server.environment(database),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise KeepingError(
                f"pg_dump failed, nothing was written:\n{done.stderr.strip()}"
            )
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _publish(fresh: Path, target: Path, sheet: manifest.Manifest) -> None:
    """The manifest comes last: without it a dump does not count as a backup."""
    beside = manifest.beside(target)
    note = fresh.with_name(fresh.name + ".json")
    descriptor = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(manifest.to_text(sheet))
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(target)
        note.replace(beside)
    finally:
        note.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
