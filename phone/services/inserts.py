"""Rows that the database itself keeps from being written twice."""

from django.db import connection

from vrp.tenancy.models import TenantModel


def insert_once(row: TenantModel) -> bool:
    """Insert a new row; False if one of the same identity is there already.

    Waits for a transaction that is writing the same. Nothing is violated, because
    PostgreSQL logs a violating statement whole, phone number and words included.
    """
    table = row._meta.db_table
    with connection.cursor() as cursor:
        # The id is taken first: an INSERT that may do nothing does not tell of it.
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
        row.pk = cursor.fetchone()[0]
    rows = type(row)._default_manager
    rows.bulk_create([row], ignore_conflicts=True)
    return rows.filter(pk=row.pk).exists()
