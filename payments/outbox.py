"""What this room sends: payouts, and questions about them."""

from datetime import timedelta

from django.conf import settings

from payments.enums import PayoutState, QueryState
from payments.models import Payout, StatusQuery
from payments.services import asking, payouts
from vrp.events.outbox import Outbox, register
from vrp.haste import hasten

# Token, certificate and request, the first and the last perhaps twice.
CALLS = timedelta(seconds=5 * sum(settings.CARRIER_TIMEOUT))
LEASE = hasten(max(timedelta(seconds=60), CALLS), at_least=CALLS)

register(
    Outbox(
        name="payout",
        model=Payout,
        ready=(PayoutState.QUEUED,),
        claimed=PayoutState.SENDING,
        deliver=payouts.send,
        on_lost=payouts.lost,
        on_restored=payouts.perhaps_sent_since,
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
        # A question moves no money; after a restore the answers are what we need.
        leaves=False,
    )
)
