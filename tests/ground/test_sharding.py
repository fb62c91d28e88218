"""A tenant can be moved to another database: its rows know it, its keys begin with it.

docs/scale.md says what follows from that.
"""

import pytest
from django.apps import apps
from django.db import connection

from vrp.tenancy.models import TenantModel


def tenant_tables() -> set[str]:
    return {
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, TenantModel)
    }


@pytest.mark.django_db
def test_every_unique_key_of_a_tenant_table_begins_with_the_tenant() -> None:
    """But for primary keys, and one-to-one keys, which are a parent's primary key: their
    sequences start at a number of its own in each shard."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT t.relname, i.relname, a.attname
               FROM pg_index x
               JOIN pg_class t ON t.oid = x.indrelid
               JOIN pg_class i ON i.oid = x.indexrelid
               JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
               WHERE x.indisunique AND NOT x.indisprimary AND t.relname = ANY(%s)""",
            [list(tenant_tables())],
        )
        keys = cursor.fetchall()
    assert len({table for table, _, _ in keys}) == len(tenant_tables())
    single = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if field.one_to_one
    }
    assert [
        (table, key, column)
        for table, key, column in keys
        if column != "tenant_id" and (table, column) not in single
    ] == []


@pytest.mark.django_db
def test_every_parent_in_a_tenant_table_is_found_by_tenant_and_id() -> None:
    """The others (tenants, users) are small, and every shard can have a copy."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT t.relname, p.relname, array_length(c.conkey, 1)
               FROM pg_constraint c
               JOIN pg_class t ON t.oid = c.conrelid
               JOIN pg_class p ON p.oid = c.confrelid
               WHERE c.contype = 'f' AND t.relname = ANY(%s)""",
            [list(tenant_tables())],
        )
        keys = cursor.fetchall()
    own = tenant_tables()
    loose = [key[:2] for key in keys if key[1] in own and key[2] < 2]
    assert loose == []
