from django.db import migrations, models

import vrp.secrets


class Migration(migrations.Migration):
    dependencies = [
        ("phone", "0002_row_level_security"),
    ]

    operations = [
        migrations.AddField(
            model_name="channel",
            name="old_route_secret",
            field=vrp.secrets.AddressSecretField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="channel",
            name="old_route_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="channel",
            name="api_key",
            field=vrp.secrets.SealedField(),
        ),
        migrations.AlterField(
            model_name="channel",
            name="route_secret",
            field=vrp.secrets.AddressSecretField(),
        ),
    ]
