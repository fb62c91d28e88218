"""The wallet's own rules, and how patient we are with it. Amounts in minor units.

Minimum and maximum of one payment: sources agree on KES 10 and KES 250,000. The wallet
moves whole shillings only.
"""

from datetime import timedelta

from vrp.haste import hasten

WALLET_CURRENCY = "KES"
WALLET_UNIT_MINOR = 100
WALLET_MIN_MINOR = 10 * 100
WALLET_MAX_MINOR = 250_000 * 100

# A payment that was accepted and has brought no result for this long is *unknown*.
RESULT_PATIENCE = hasten(timedelta(minutes=3))
# How long after a payout became unknown the wallet is asked about it. After the last
# question has stayed without a deciding answer, a person must look.
QUERY_AFTER = (
    hasten(timedelta(seconds=30)),
    hasten(timedelta(minutes=2)),
    hasten(timedelta(minutes=10)),
    hasten(timedelta(minutes=30)),
)
# So many answers that the wallet knows no such payment hand it to a person, the last of
# them so long after the payout became unknown. The questions that are left are still
# asked.
NO_SUCH_ANSWERS = 2
NO_SUCH_AFTER = hasten(timedelta(minutes=2))
ANSWER_PATIENCE = hasten(timedelta(minutes=3))
# A stopped channel is looked at again this often; starting it looks at once.
STOPPED_PAUSE = hasten(timedelta(minutes=5))
# The first and the longest pause between two attempts that did not reach the wallet.
FIRST_BACKOFF = hasten(timedelta(seconds=5))
LONGEST_BACKOFF = hasten(timedelta(minutes=5))
