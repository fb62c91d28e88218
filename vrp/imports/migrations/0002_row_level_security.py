"""Keep tenants apart in the database as well: see ``vrp.tenancy.secure``."""

from django.db import migrations

from vrp.tenancy.secure import secure


class Migration(migrations.Migration):
    dependencies = [("imports", "0001_initial")]

    operations = [secure("imports", "ImportFile")]
