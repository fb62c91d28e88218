"""Keep tenants apart in the database as well: see ``vrp.tenancy.secure``."""

from django.db import migrations

from vrp.tenancy.secure import secure


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0001_initial"),
        ("artisans", "0002_row_level_security"),
        ("orders", "0002_row_level_security"),
        ("qc", "0002_row_level_security"),
    ]

    operations = [
        secure(
            "payments",
            "Account",
            "Entry",
            "Posting",
            "PayoutRun",
            "Payout",
            "StatusQuery",
            "Payable",
            "PayoutLine",
            "Hold",
            "WalletCredential",
            "WalletCallback",
        ),
    ]
