"""Open orders in the order in which they ship (docs/scale.md)."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # A concurrent build locks nobody out, and cannot run inside a transaction.
    atomic = False

    dependencies = [("orders", "0005_indexes_for_growth")]

    operations = [
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                condition=models.Q(("state__in", ["placed", "in_production", "ready"])),
                fields=["tenant", "ship_by", "id"],
                name="order_open_by_day",
            ),
        ),
    ]
