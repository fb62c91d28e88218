"""Indexes that keep pages from growing with the rows (docs/scale.md)."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Concurrent builds lock nobody out, and cannot run inside a transaction.
    atomic = False
    dependencies = [
        ("payments", "0005_route_secrets"),
        ("tenancy", "0003_second_factor_rule"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="walletcallback",
            index=models.Index(
                condition=models.Q(("is_conflict", True)),
                fields=["tenant", "-id"],
                name="wallet_callback_conflict",
            ),
        ),
    ]
