"""Putting a backup back: all of it or nothing, compared with its manifest, and silent.

Silent: what the restored rows say is to be sent may have been sent since, so sending is
paused in the transaction that brings the rows back (``vrp.events.pausing``).
"""

import subprocess
from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from payments.queries import book_differences, trial_balance
from vrp.events.pausing import pause_after_restore, sending
from vrp.events.seal import verify
from vrp.events.services import Actor
from vrp.keeping import figures, manifest, server
from vrp.keeping.errors import KeepingError
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

RESTORE = Actor.system("restore")

_EMPTY_OUT = r"""
BEGIN;
SET lock_timeout = '15s';
SET client_min_messages = warning;
DO $$ DECLARE thing record; BEGIN
    FOR thing IN SELECT c.oid::regclass AS name FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    LOOP EXECUTE format('DROP TABLE IF EXISTS %s CASCADE', thing.name); END LOOP;
    FOR thing IN SELECT c.oid::regclass AS name FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S'
    LOOP EXECUTE format('DROP SEQUENCE IF EXISTS %s CASCADE', thing.name); END LOOP;
    FOR thing IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT 1 FROM pg_depend d
                          WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', thing.name); END LOOP;
END $$;
"""
# A dump from before there were pauses has no table for them; then the pause comes with
# the migrations, before anything of this code can run on the rows.
_PAUSE = r"""
SET search_path = public;
SET row_security = on;
DO $$ DECLARE tenant record; held text; BEGIN
    IF to_regclass('public.events_sendingpause') IS NULL THEN RETURN; END IF;
    FOR tenant IN SELECT id FROM tenancy_tenant LOOP
        PERFORM set_config('vrp.tenant', tenant.id::text, true);
        FOREACH held IN ARRAY ARRAY[{outboxes}]::text[] LOOP
            INSERT INTO events_sendingpause
                   (tenant_id, outbox, reason, since, released_by, note)
            VALUES (tenant.id, held, '{reason}', now(), '', '')
            ON CONFLICT (tenant_id, outbox) WHERE released_at IS NULL DO NOTHING;
        END LOOP;
    END LOOP;
END $$;
"""


def restore(
    dump: Path, database: Mapping[str, Any], *, replace: bool, say: Any
) -> manifest.Manifest:
    """Replace what is in the database with the dump; ``say(line)`` tells what happens.

    Raises ``KeepingError`` before anything is touched when manifest, keys, code, server
    or database do not fit; after that only if the database refuses (nothing is changed
    then) or if what came back is not what was saved.
    """
    sheet = manifest.read(dump)
    say(f"{dump}: whole, taken {sheet.taken_at} on PostgreSQL {sheet.server}")
    _require_keys(sheet, say)
    _require_known_migrations(sheet)
    connections.close_all()
    connection = server.connect(database)
    try:
        with connection, connection.cursor() as cursor:
            _require_room(cursor, replace)
        _require_version(connection, sheet)
        _load(dump, connection, database, _reason(sheet))
    finally:
        connection.close()
    say("restored; what leaves the house is paused")
    _compare(database, sheet)
    say("rows, last events and balances are those of the manifest")
    _settle(sheet, say)
    return sheet


def _reason(sheet: manifest.Manifest) -> str:
    taken = datetime.fromisoformat(sheet.taken_at).isoformat()
    return f"A backup of {taken} was restored."


def _require_keys(sheet: manifest.Manifest, say: Any) -> None:
    """Refuse when a key is missing: what it encrypted could never be opened again."""
    have = figures.field_key_prints()
    for place, wanted in enumerate(sheet.field_keys, start=1):
        if not any(figures.same_print(wanted, one) for one in have):
            raise KeepingError(
                f"VRP_FIELD_KEYS lacks the key in place {place} of "
                f"{len(sheet.field_keys)} that were in use when this backup was taken. "
                "Carrier and wallet credentials could not be opened. Set the keys of "
                "then (newer ones may stand before them). Under bin/up the key is the "
                "file secret_key in the data folder."
            )
    known = figures.secret_key_prints()
    if not any(figures.same_print(sheet.secret_key, one) for one in known):
        say("SECRET_KEY is another one: every API key of the backup ends.")


def _require_known_migrations(sheet: manifest.Manifest) -> None:
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    for app, name in sheet.migrations.items():
        if (app, name) not in known:
            raise KeepingError(
                f"This code does not know the migration {app}.{name} of the backup: it "
                f"was taken by newer code (commit {sheet.code}). Restore with that."
            )


def _require_version(connection: Any, sheet: manifest.Manifest) -> None:
    ours, theirs = (
        int(text.partition(".")[0])
        for text in (server.server_version(connection), sheet.server)
    )
    if theirs > ours:
        raise KeepingError(
            f"The backup is of PostgreSQL {theirs}, the server here is {ours}: an older "
            "server cannot take it."
        )


def _require_room(cursor: Any, replace: bool) -> None:
    """The owner, nobody else connected, and no rows unless they are to be replaced."""
    if figures.may_read_everything(cursor):
        raise KeepingError(
            "Restore as the role that owns the tables (vrp_owner), not as one that "
            "passes row-level security: the tables would belong to it."
        )
    cursor.execute(
        """SELECT count(*) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()
             AND usename IS NOT NULL"""
    )
    others = cursor.fetchone()[0]
    if others:
        raise KeepingError(
            f"{others} other connections to this database are open. Stop web, worker, "
            "clock and every shell first."
        )
    if not replace and _has_rows(cursor):
        raise KeepingError(
            "This database has tenants or users. Restore into an empty one, or say "
            "--replace-everything-in-the-database."
        )


def _has_rows(cursor: Any) -> bool:
    for table in ("tenancy_tenant", "accounts_user"):
        cursor.execute("SELECT to_regclass(%s)", [f"public.{table}"])
        if cursor.fetchone()[0] is not None:
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table})")  # noqa: S608  # names of our own tables
            if cursor.fetchone()[0]:
                return True
    return False


def _load(
    dump: Path, connection: Any, database: Mapping[str, Any], reason: str
) -> None:
    """One transaction: empty out, bring back, pause. Committed only if all of it went
    through; if this process dies, the server rolls back."""
    environment = server.environment(database)
    restorer = server.program("pg_restore", connection)
    listing = _without_the_schema(restorer, dump, environment)
    psql = subprocess.Popen(  # noqa: S603  # our own list
        [
            server.program("psql", connection),
            *("--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"),
        ],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    entry = cast(IO[bytes], psql.stdin)
    names = ", ".join(f"'{outbox.name}'" for outbox in sending())
    words = b""
    try:
        entry.write(_EMPTY_OUT.encode())
        entry.flush()
        done = subprocess.run(  # noqa: S603  # our own list
            [
                restorer,
                *("--no-owner", "--no-privileges", "--file=-"),
                *("--use-list=/dev/stdin", str(dump)),
            ],
            env=environment,
            input=listing,
            stdout=entry,
            stderr=subprocess.PIPE,
            check=False,
        )
        words = done.stderr
        if done.returncode == 0:
            pause = _PAUSE.format(outboxes=names, reason=reason)
            entry.write(f"\n{pause}\nCOMMIT;\n".encode())
    except BrokenPipeError:
        pass  # psql has stopped, and says why
    finally:
        _, complaints = psql.communicate()
    if psql.returncode != 0 or done.returncode != 0:
        told = (complaints + words).decode("utf-8", "replace").strip()
        raise KeepingError(f"The restore failed, nothing was changed:\n{told}")


def _without_the_schema(
    restorer: str, dump: Path, environment: dict[str, str]
) -> bytes:
    """The dump's table of contents but for the schema itself, which is there and keeps
    its rights."""
    done = subprocess.run(  # noqa: S603  # our own list
        [restorer, "--list", str(dump)],
        env=environment,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise KeepingError(done.stderr.decode("utf-8", "replace").strip())
    kept = [
        line
        for line in done.stdout.splitlines()
        if b" SCHEMA - public" not in line and b" - SCHEMA public" not in line
    ]
    return b"\n".join(kept) + b"\n"


def _compare(database: Mapping[str, Any], sheet: manifest.Manifest) -> None:
    connection = server.connect(database)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
            found = figures.differences(sheet.figures, figures.gather(cursor))
    finally:
        connection.close()
    if found:
        lines = "\n".join(f"  {line}" for line in found[:20])
        raise KeepingError(
            f"What came back is not what was saved. Do not work with it:\n{lines}"
        )


def _settle(sheet: manifest.Manifest, say: Any) -> None:
    """Migrate to this code, prove events and books, and doubt what was due."""
    call_command("migrate", interactive=False, verbosity=0)
    engine: Any = import_module(settings.SESSION_ENGINE)
    ended, _ = engine.SessionStore.get_model_class().objects.all().delete()
    say(f"{ended} sessions ended: everybody signs in again")
    broken = []
    for tenant in Tenant.objects.order_by("slug"):
        with tenant_scope(tenant):
            broken += _settle_tenant(tenant, sheet, say)
    if broken:
        raise KeepingError("\n".join(broken))


def _settle_tenant(tenant: Tenant, sheet: manifest.Manifest, say: Any) -> list[str]:
    held, fault = verify(tenant)
    books = trial_balance()
    broken = [f"{tenant.slug}: events, {fault}"] if fault else []
    broken += [
        f"{tenant.slug}: the trial balance is off by {minor} minor units {currency}"
        for currency, minor in books.off.items()
    ]
    broken += [
        f"{tenant.slug}: {one.what} is {one.ledger_minor} in the ledger, "
        f"{one.rows_minor} by its rows ({one.currency}, minor units)"
        for one in book_differences()
    ]
    doubted = pause_after_restore(tenant=tenant, reason=_reason(sheet), actor=RESTORE)
    say(
        f"{tenant.slug}: {held} events hold, the books balance; taken for unknown: "
        + (", ".join(f"{n} {name}" for name, n in doubted.items() if n) or "nothing")
        if not broken
        else f"{tenant.slug}: BROKEN"
    )
    return broken
