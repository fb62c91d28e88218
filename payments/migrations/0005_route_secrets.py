from django.db import migrations, models

import vrp.secrets


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0004_payout_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="walletcredential",
            name="old_route_secret",
            field=vrp.secrets.AddressSecretField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="walletcredential",
            name="old_route_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="walletcredential",
            name="consumer_key",
            field=vrp.secrets.SealedField(),
        ),
        migrations.AlterField(
            model_name="walletcredential",
            name="consumer_secret",
            field=vrp.secrets.SealedField(),
        ),
        migrations.AlterField(
            model_name="walletcredential",
            name="initiator_password",
            field=vrp.secrets.SealedField(),
        ),
        migrations.AlterField(
            model_name="walletcredential",
            name="route_secret",
            field=vrp.secrets.AddressSecretField(),
        ),
    ]
