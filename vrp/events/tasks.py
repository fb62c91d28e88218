"""The one Celery task that empties every outbox."""

import structlog
from celery import shared_task

from vrp.events import outbox
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

log = structlog.get_logger(__name__)


@shared_task(name="vrp.events.work")
def work(name: str, tenant_id: int, row_id: int) -> None:
    """Deliver one outbox row. Safe to run twice, late, or never: the row decides."""
    with tenant_scope(Tenant.objects.get(pk=tenant_id)):
        taken = outbox.run(name, row_id)
        log.info("outbox.work", outbox=name, row=row_id, taken=taken)
