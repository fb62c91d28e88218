"""Every write to money.

``ledger`` posts entries; ``payables`` turns graded pieces into what is owed; ``runs``
makes, approves and cancels runs; ``payouts`` sends; ``results`` reads what the wallet
calls back with; ``asking`` asks it; ``settling`` is the one place where a payout moves to
an outcome; ``declaring`` is a person's word where the wallet gives none; ``wallet`` keeps
the tenant's account with the operator.
"""
