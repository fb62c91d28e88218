"""What this room sends: payouts, and questions about them."""

from datetime import timedelta

from django.conf import settings

from payments.enums import PayoutState, QueryState
from payments.models import Payout, StatusQuery
from payments.services import asking, payouts
from vrp.events.outbox import Outbox, register

# Token, certificate and request, the first and the last perhaps twice.
LEASE = timedelta(seconds=max(60, 5 * sum(settings.CARRIER_TIMEOUT)))

register(
    Outbox(
        name="payout",
        model=Payout,
        ready=(PayoutState.QUEUED,),
        claimed=PayoutState.SENDING,
        deliver=payouts.send,
        on_lost=payouts.lost,
        lease=LEASE,
        priority=4,
    )
)
register(
    Outbox(
        name="wallet_query",
        model=StatusQuery,
        ready=(QueryState.QUEUED,),
        claimed=QueryState.SENDING,
        deliver=asking.ask,
        on_lost=asking.ask_again,
        lease=LEASE,
        priority=3,
    )
)
