"""Indexes that keep pages from growing with the rows (docs/scale.md)."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Concurrent builds lock nobody out, and cannot run inside a transaction.
    atomic = False
    dependencies = [
        ("artisans", "0002_row_level_security"),
        ("phone", "0003_route_secrets"),
        ("tenancy", "0003_second_factor_rule"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state__in", ["unmatched", "unknown", "failed"])),
                fields=["tenant", "state", "-id"],
                name="message_to_see_to",
            ),
        ),
    ]
