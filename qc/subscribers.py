"""What this room does when another room records an event."""

from orders.models import Delivery
from qc.services import open_batch
from vrp.events.models import Event
from vrp.events.services import Actor, on


@on("delivery.received")
def open_batches(event: Event, delivery: Delivery) -> None:
    """One batch for each job of which something came in."""
    actor = Actor(event.actor_kind, event.actor_label, event.actor_id)
    lines = delivery.lines.filter(counted__gt=0).select_related("job__tenant")
    for line in lines.order_by("job__number"):
        open_batch(
            job=line.job, counted=line.counted or 0, delivery_line=line, actor=actor
        )
