"""Indexes that keep pages from growing with the rows (docs/scale.md)."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Concurrent builds lock nobody out, and cannot run inside a transaction.
    atomic = False

    dependencies = [
        ("events", "0004_sending_pause"),
        ("tenancy", "0003_second_factor_rule"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                condition=models.Q(("subject_type", "order")),
                fields=["tenant", "at"],
                name="event_of_orders",
            ),
        ),
    ]
