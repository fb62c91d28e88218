"""Scopes and replacement of API keys, rotation of webhook secrets, a log of attempts.

Only new tables and columns that are null or have a constant default: no row is
rewritten, and the code before this may go on writing meanwhile.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import vrp.secrets
import vrp.tenancy.models
from vrp.tenancy.secure import secure

# What a key may do that was there before there were scopes.
EVERYTHING = [
    "orders:read",
    "orders:write",
    "products:read",
    "webhooks:read",
    "webhooks:write",
]
SCOPES = models.CharField(max_length=40)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_row_level_security"),
        ("tenancy", "0002_row_level_security"),
    ]

    operations = [
        migrations.AddField(
            "apikey",
            "scopes",
            django.contrib.postgres.fields.ArrayField(
                SCOPES, default=list, db_default=EVERYTHING
            ),
        ),
        # A row that names no scope from now on has none.
        migrations.AlterField(
            "apikey",
            "scopes",
            django.contrib.postgres.fields.ArrayField(
                SCOPES, default=list, db_default=[]
            ),
        ),
        migrations.AddField(
            "apikey",
            "first",
            vrp.tenancy.models.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="successors",
                to="orders.apikey",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE orders_apikey ADD CONSTRAINT orders_apikey_first_id_same_tenant"
            " FOREIGN KEY (tenant_id, first_id) REFERENCES orders_apikey (tenant_id, id)"
            " DEFERRABLE INITIALLY DEFERRED NOT VALID",
            "ALTER TABLE orders_apikey DROP CONSTRAINT orders_apikey_first_id_same_tenant",
        ),
        migrations.AddField(
            "order",
            "po_key",
            models.CharField(editable=False, max_length=800, null=True),
        ),
        migrations.AddField(
            "webhookendpoint",
            "old_secret",
            vrp.secrets.SealedField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            "webhookendpoint",
            "old_secret_until",
            models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField("webhookendpoint", "secret", vrp.secrets.SealedField()),
        migrations.CreateModel(
            name="WebhookAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("duration_ms", models.PositiveIntegerField()),
                ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("error", models.CharField(blank=True, max_length=200)),
                ("answer", models.CharField(blank=True, max_length=300)),
                (
                    "delivery",
                    vrp.tenancy.models.TenantForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tries",
                        to="orders.webhookdelivery",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [
                    models.Index(
                        fields=["tenant", "delivery", "id"], name="attempt_of_delivery"
                    )
                ],
            },
        ),
        secure("orders", "WebhookAttempt"),
    ]
