"""What the past is told with: who acts, who can make what, and what was noted."""

import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from artisans.models import Workshop
from orders.models import Job
from qc.models import Defect, Inspection
from vrp.accounts.models import User
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant


@dataclass
class Past:
    """Everything being collected on the way to the bulk inserts."""

    tenant: Tenant
    rng: random.Random
    staff: dict[str, User]
    makers: dict[int, list[Workshop]]
    truth: dict[str, Any]
    defects: list[Defect]
    events: list[Event] = field(default_factory=list)
    payables: list[tuple[Inspection, Job]] = field(default_factory=list)

    def note(
        self, name: str, subject: Any, at: datetime, actor: Actor, **data: Any
    ) -> None:
        """One line of the record, at its own time."""
        self.events.append(
            Event(
                tenant=self.tenant,
                name=name,
                subject_type=subject._meta.model_name,
                subject_id=subject.pk,
                actor_kind=actor.kind,
                actor_id=actor.id,
                actor_label=actor.label,
                data=data,
                at=at,
            )
        )
