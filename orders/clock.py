"""What happens to orders by itself."""

from typing import Any

from django.utils import timezone

from orders.enums import JobState
from orders.models import Job
from orders.services.idempotency import purge_old
from orders.services.jobs import lapse_job
from orders.services.webhooks import purge_deliveries
from vrp.errors import IllegalMove
from vrp.events.services import Actor
from vrp.ops.clock import every, for_each_tenant
from vrp.tenancy.models import Tenant


@every(minutes=5)
def lapse_silent_offers() -> dict[str, Any]:
    """Take back offers whose time to answer is over."""
    return for_each_tenant(lapse_due)


def lapse_due(tenant: Tenant) -> int:
    """For one tenant: how many offers lapsed."""
    lapsed = 0
    due = Job.objects.filter(state=JobState.OFFERED, expires_at__lte=timezone.now())
    for job in due.order_by("pk")[:1000]:
        try:
            lapse_job(job=job, actor=Actor.system("clock"))
            lapsed += 1
        except IllegalMove:
            # Answered in the meantime: the answer counts.
            continue
    return lapsed


@every(minutes=60)
def purge_webhook_deliveries() -> dict[str, Any]:
    """Forget what was told long ago, and secrets whose time is over."""
    return for_each_tenant(purge_deliveries)


@every(minutes=60)
def purge_idempotency_keys() -> dict[str, Any]:
    """Forget the answers that are kept for a buyer's repeated request for 24 hours."""
    return for_each_tenant(purge_old)
