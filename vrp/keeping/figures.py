"""What a database holds, in figures: taken at the backup, compared after the restore.

Read tenant by tenant with ``vrp.tenant`` set, so that the same lines see the same rows
with and without the right to pass row-level security.
"""

import hashlib
import hmac
from typing import Any

from django.conf import settings

from payments.models import Account, Posting
from vrp.events.models import Event
from vrp.tenancy.models import Tenant

# Written by the restore itself, so it cannot be as it was.
NOT_COUNTED = {"events_sendingpause"}


def field_key_prints() -> list[str]:
    """A fingerprint of each key that opens stored secrets, newest first.

    Slow to compute on purpose: whoever finds a manifest should not be able to try out
    guesses of a poor key.
    """
    return [_print(key) for key in settings.FIELD_KEYS]


def secret_key_prints() -> list[str]:
    """Fingerprints of SECRET_KEY, under which API keys are hashed, and of older ones."""
    return [
        _print(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]


def _print(key: str) -> str:
    salt = b"vrp backup manifest"
    return hashlib.scrypt(key.encode(), salt=salt, n=2**14, r=8, p=1).hex()[:24]


def same_print(one: str, other: str) -> bool:
    """Compare two fingerprints."""
    return hmac.compare_digest(one, other)


def may_read_everything(cursor: Any) -> bool:
    """Whether the role passes row-level security: without, rows would be left out."""
    cursor.execute(
        "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    return bool(cursor.fetchone()[0])


def tables(cursor: Any) -> dict[str, bool]:
    """Every table of the database, and whether its rows belong to tenants."""
    cursor.execute(
        """SELECT c.relname, EXISTS (SELECT 1 FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'
                    AND NOT a.attisdropped AND c.relrowsecurity)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY 1"""
    )
    found: dict[str, bool] = dict(cursor.fetchall())
    return {name: own for name, own in found.items() if name not in NOT_COUNTED}


def migrations(cursor: Any) -> dict[str, str]:
    """The last applied migration of each app."""
    cursor.execute("SELECT app, max(name) FROM django_migrations GROUP BY app")
    return dict(sorted(cursor.fetchall()))


def gather(cursor: Any) -> dict[str, Any]:
    """Rows of shared tables; and for each tenant rows, last sealed event, balances."""
    own, shared = [], {}
    for table, is_tenants in tables(cursor).items():
        if is_tenants:
            own.append(table)
        else:
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608  # names of our own tables
            shared[table] = cursor.fetchone()[0]
    cursor.execute(f'SELECT id, slug FROM "{_table(Tenant)}" ORDER BY slug')  # noqa: S608  # names of our own tables
    tenants = {}
    for pk, slug in cursor.fetchall():
        cursor.execute("SELECT set_config('vrp.tenant', %s, false)", [str(pk)])
        tenants[slug] = {
            "rows": _rows(cursor, own, pk),
            "last_event": _last_event(cursor, pk),
            "balances": _balances(cursor, pk),
        }
    cursor.execute("SELECT set_config('vrp.tenant', '', false)")
    return {"rows": shared, "tenants": tenants}


def _table(model: Any) -> str:
    return str(model._meta.db_table)


def _rows(cursor: Any, names: list[str], tenant: int) -> dict[str, int]:
    found = {}
    for table in names:
        cursor.execute(
            f'SELECT count(*) FROM "{table}" WHERE tenant_id = %s',  # noqa: S608  # names of our own tables
            [tenant],
        )
        found[table] = cursor.fetchone()[0]
    return found


def _last_event(cursor: Any, tenant: int) -> dict[str, Any]:
    cursor.execute(
        f"""SELECT number, hash FROM "{_table(Event)}"
            WHERE tenant_id = %s AND number IS NOT NULL
            ORDER BY number DESC LIMIT 1""",  # noqa: S608  # names of our own tables
        [tenant],
    )
    number, digest = cursor.fetchone() or (0, "")
    return {"number": number, "hash": digest}


def _balances(cursor: Any, tenant: int) -> dict[str, int]:
    """Minor units by ``kind:account id:currency``; debit positive."""
    cursor.execute(
        f"""SELECT a.kind, a.id, p.currency, sum(p.amount_minor)::bigint
            FROM "{_table(Posting)}" p JOIN "{_table(Account)}" a
              ON a.tenant_id = p.tenant_id AND a.id = p.account_id
            WHERE p.tenant_id = %s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",  # noqa: S608  # names of our own tables
        [tenant],
    )
    return {
        f"{kind}:{pk}:{currency}": total
        for kind, pk, currency, total in cursor.fetchall()
    }


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Where two gatherings differ, one sentence each; empty is good."""
    found = _compare("rows", before["rows"], after["rows"])
    for slug in sorted(before["tenants"].keys() | after["tenants"].keys()):
        old, new = before["tenants"].get(slug), after["tenants"].get(slug)
        if old is None or new is None:
            found.append(f"tenant {slug}: in one of the two only")
            continue
        for what in ("rows", "last_event", "balances"):
            found += _compare(f"{slug}, {what}", old[what], new[what])
    return found


def _compare(where: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [
        f"{where}: {name} was {old.get(name)}, is {new.get(name)}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
