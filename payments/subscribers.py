"""What this room does when another room records an event."""

from payments.services.payables import post_payable
from qc.models import Inspection
from vrp.events.models import Event
from vrp.events.services import Actor, on


@on("batch.graded")
def owe_for_accepted(event: Event, inspection: Inspection) -> None:
    """Accepted pieces are owed for in the transaction that grades them."""
    actor = Actor(event.actor_kind, event.actor_label, event.actor_id)
    post_payable(inspection=inspection, actor=actor)
