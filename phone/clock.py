"""What happens to messages by itself, and what is measured of them."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from phone import queries
from phone.enums import REPORT_STATES
from phone.models import DeliveryReport
from phone.services.reports import settle_open_reports
from vrp.ops.clock import every, for_each_tenant
from vrp.ops.metrics import gauge
from vrp.tenancy.models import Tenant


@every(minutes=5)
def match_delivery_reports() -> dict[str, Any]:
    """Match delivery reports whose message was not known when they came."""

    def one(tenant: Tenant) -> int:
        return settle_open_reports()

    return for_each_tenant(one)


@gauge("vrp_messages_unknown", "SMS that may or may not have been sent")
def unknown() -> float:
    return float(queries.unknown_count())


@gauge("vrp_messages_unmatched", "SMS from unknown numbers that nobody looked at")
def unmatched() -> float:
    return float(queries.unmatched_count())


@gauge(
    "vrp_delivery_reports_strange", "Delivery reports of a day, status unknown to us"
)
def strange() -> float:
    since = timezone.now() - timedelta(days=1)
    reports = DeliveryReport.objects.filter(at__gte=since)
    return float(reports.exclude(status__in=REPORT_STATES).count())
