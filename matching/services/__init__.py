"""Plans: asked for, computed, edited by a person, released as offers or discarded."""

from matching.services.editing import edit_proposal, edit_work_order
from matching.services.releasing import discard_plan, release_plan
from matching.services.requesting import request_plan
from matching.services.running import LEASE, OUTBOX, requeue, run_plan

__all__ = [
    "LEASE",
    "OUTBOX",
    "discard_plan",
    "edit_proposal",
    "edit_work_order",
    "release_plan",
    "request_plan",
    "requeue",
    "run_plan",
]
