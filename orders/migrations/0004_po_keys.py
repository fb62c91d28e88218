"""PO numbers are compared as people read them; old deliveries are found by their age.

Rows that are there get their key in batches. Where two orders of a buyer share one (they
differ by case or by what cannot be seen), the older has it and the others none: both stay
as they are, a third is refused. Indexes are built without a lock on writing; this may be
cut off and run again.
"""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models, transaction

from orders.numbers import po_key
from vrp.tenancy.scope import tenant_scope

BATCH = 1000


def give_keys(apps: Any, editor: Any) -> None:
    """Batches of 1,000 orders, oldest first, each committed for itself."""
    order = apps.get_model("orders", "Order")
    for tenant in apps.get_model("tenancy", "Tenant").objects.all():
        with tenant_scope(tenant):
            last = 0
            while rows := list(
                order.objects.filter(tenant=tenant, pk__gt=last).order_by("pk")[:BATCH]
            ):
                last = rows[-1].pk
                with transaction.atomic():
                    _give(order, [row for row in rows if row.po_key is None])


def _give(order: Any, rows: list[Any]) -> None:
    keys = {row.pk: po_key(row.po_number) or None for row in rows}
    taken = set(
        order.objects.filter(
            buyer_id__in={row.buyer_id for row in rows}, po_key__in=keys.values()
        ).values_list("buyer_id", "po_key")
    )
    changed = []
    for row in rows:
        key = keys[row.pk]
        if key is not None and (row.buyer_id, key) not in taken:
            taken.add((row.buyer_id, key))
            row.po_key = key
            changed.append(row)
    order.objects.bulk_update(changed, ["po_key"])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0003_keys_and_secrets")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE orders_apikey"
            " VALIDATE CONSTRAINT orders_apikey_first_id_same_tenant",
            migrations.RunSQL.noop,
        ),
        migrations.RunPython(
            give_keys,
            migrations.RunPython.noop,
            hints={"live": "batches of 1,000, each committed for itself"},
            elidable=True,
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                # A run that was cut off leaves one or the other behind.
                migrations.RunSQL(
                    "ALTER TABLE orders_order"
                    " DROP CONSTRAINT IF EXISTS order_po_key_unique",
                    migrations.RunSQL.noop,
                ),
                migrations.RunSQL(
                    "DROP INDEX CONCURRENTLY IF EXISTS order_po_key_unique",
                    migrations.RunSQL.noop,
                ),
                migrations.RunSQL(
                    "CREATE UNIQUE INDEX CONCURRENTLY order_po_key_unique"
                    " ON orders_order (tenant_id, buyer_id, po_key)",
                    "DROP INDEX CONCURRENTLY IF EXISTS order_po_key_unique",
                ),
                # Becomes the constraint's own index: no second look at the rows.
                migrations.RunSQL(
                    "ALTER TABLE orders_order ADD CONSTRAINT order_po_key_unique"
                    " UNIQUE USING INDEX order_po_key_unique",
                    "ALTER TABLE orders_order DROP CONSTRAINT order_po_key_unique",
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    "order",
                    models.UniqueConstraint(
                        fields=("tenant", "buyer", "po_key"),
                        name="order_po_key_unique",
                    ),
                )
            ],
        ),
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS webhook_by_age", migrations.RunSQL.noop
        ),
        AddIndexConcurrently(
            "webhookdelivery",
            models.Index(fields=["tenant", "created_at"], name="webhook_by_age"),
        ),
    ]
