"""Plans wait for a worker as outbox rows, so that neither Redis nor a worker loses one."""

from matching.enums import PlanState
from matching.models import Plan
from matching.services import LEASE, OUTBOX, requeue, run_plan
from vrp.events.outbox import Outbox, register


def _deliver(plan: Plan) -> None:
    run_plan(plan=plan)


def _on_lost(plan: Plan) -> None:
    requeue(plan=plan)


register(
    Outbox(
        name=OUTBOX,
        model=Plan,
        ready=(PlanState.QUEUED,),
        claimed=PlanState.RUNNING,
        deliver=_deliver,
        on_lost=_on_lost,
        lease=LEASE,
        leaves=False,
        # Messages and money go first: they are short and people wait for them.
        priority=6,
    )
)
