"""A fingerprint of the whole database: count and hash of each table, tenant by tenant."""

from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from vrp.tenancy.models import Tenant, TenantModel
from vrp.tenancy.scope import tenant_scope

# Tables that a mere look changes, and why that is right.
UNWATCHED = {
    "django_session": "a page may note a message for the next page",
    "accounts_staffsession": "the same; and it knows when it was last seen",
    "ops_heartbeat": "processes show that they live",
}
Print = dict[tuple[str, str], tuple[int, str]]


def _tables(*, of_tenants: bool) -> list[str]:
    every = apps.get_models(include_auto_created=True)
    found = {
        m._meta.db_table
        for m in every
        if issubclass(m, TenantModel) == of_tenants and not m._meta.proxy
    }
    return sorted(found - set(UNWATCHED))


def _read(tables: list[str], where: str) -> Print:
    parts = [
        f"SELECT '{table}', count(*),"
        f" coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '')"
        f' FROM "{table}" t'
        for table in tables
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return {(where, name): (count, md5) for name, count, md5 in cursor.fetchall()}


def fingerprint(*tenants: Tenant) -> Print:
    """What is in the tables of these tenants, and in those that are nobody's."""
    found = _read(_tables(of_tenants=False), "shared")
    for tenant in tenants:
        with tenant_scope(tenant):
            found |= _read(_tables(of_tenants=True), tenant.slug)
    return found


def changes(before: Print, after: Print) -> list[str]:
    """Which tables differ, in words."""
    return [
        f"{where}: {table} {before[where, table][0]} -> {after[where, table][0]} rows"
        for where, table in before
        if before[where, table] != after[where, table]
    ]


def written() -> dict[str, tuple[int, ...]]:
    """Rows inserted, updated and deleted in this transaction, undone ones too, by table.

    PostgreSQL's own count, much cheaper than a fingerprint: where nothing was written
    nothing can have changed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT relname, n_tup_ins, n_tup_upd, n_tup_del
               FROM pg_stat_xact_user_tables"""
        )
        return {
            name: tuple(counts)
            for name, *counts in cursor.fetchall()
            if name not in UNWATCHED
        }


@contextmanager
def undone() -> Any:
    """Whatever the block does is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
