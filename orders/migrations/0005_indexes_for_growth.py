"""Indexes that keep pages from growing with the rows (docs/scale.md)."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Concurrent builds lock nobody out, and cannot run inside a transaction.
    atomic = False

    dependencies = [
        ("artisans", "0002_row_level_security"),
        ("orders", "0004_po_keys"),
        ("tenancy", "0003_second_factor_rule"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "booked")),
                fields=["tenant", "booked_for", "id"],
                name="delivery_expected",
            ),
        ),
        AddIndexConcurrently(
            model_name="job",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ("offered", "accepted", "in_progress", "delivered"))
                ),
                fields=["tenant", "due_on", "id"],
                name="job_open_by_due",
            ),
        ),
        AddIndexConcurrently(
            model_name="orderline",
            index=models.Index(
                condition=models.Q(("stage", "shipped"), _negated=True),
                fields=["tenant", "stage"],
                name="order_line_in_house",
            ),
        ),
        AddIndexConcurrently(
            model_name="partneed",
            index=models.Index(
                condition=models.Q(("reserved__lt", models.F("quantity"))),
                fields=["tenant", "component"],
                name="part_need_short",
            ),
        ),
        AddIndexConcurrently(
            model_name="webhookdelivery",
            index=models.Index(
                fields=["tenant", "endpoint", "-id"], name="webhook_by_endpoint"
            ),
        ),
    ]
