"""Keep tenants apart in the database as well: see ``vrp.tenancy.secure``."""

from django.db import migrations

from vrp.tenancy.secure import secure


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_initial"),
        ("artisans", "0002_row_level_security"),
    ]

    operations = [
        secure(
            "orders",
            "Component",
            "Product",
            "BomLine",
            "StockMove",
            "Buyer",
            "ApiKey",
            "IdempotencyRecord",
            "WebhookEndpoint",
            "WebhookDelivery",
            "Order",
            "OrderLine",
            "PartNeed",
            "Shipment",
            "WorkOrder",
            "Job",
            "Delivery",
            "DeliveryLine",
        ),
    ]
