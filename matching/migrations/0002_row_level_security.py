"""Keep tenants apart in the database as well: see ``vrp.tenancy.secure``."""

from django.db import migrations

from vrp.tenancy.secure import secure


class Migration(migrations.Migration):
    dependencies = [
        ("matching", "0001_initial"),
        ("artisans", "0002_row_level_security"),
        ("orders", "0002_row_level_security"),
    ]

    operations = [
        secure(
            "matching",
            "JobRecord",
            "Plan",
            "PlanWorkOrder",
            "Proposal",
            "PassedOver",
        ),
    ]
