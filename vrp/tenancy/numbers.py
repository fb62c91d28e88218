"""Numbers that people read aloud: job 8841, batch B-2231, run PR-0311."""

from django.db import connection

from vrp.tenancy.models import Tenant


def next_number(tenant: Tenant, name: str, count: int = 1) -> int:
    """The next number of ``name`` within the tenant; the first of ``count`` if several.

    Must run inside the transaction that uses the number: a rollback gives it back, and
    concurrent callers wait for each other on the counter's row.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO tenancy_counter (tenant_id, name, value) VALUES (%s, %s, %s)
               ON CONFLICT (tenant_id, name)
               DO UPDATE SET value = tenancy_counter.value + EXCLUDED.value
               RETURNING value""",
            [tenant.pk, name, count],
        )
        return cursor.fetchone()[0] - count + 1
