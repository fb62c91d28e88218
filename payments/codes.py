"""What the wallet's result codes mean for us, and in plain words.

There is no full published list. A code that is not here decides nothing: the payout is
unknown and the wallet is asked.
"""

# Our own configuration: every further payment would fail the same way.
CONFIGURATION = {
    "11": "the wallet says our paying account is not active",
    "21": "our user at the wallet lacks the role to pay out",
    "2001": "the wallet refuses our user name, password or certificate",
    "2028": "our shortcode may not pay out",
    "8006": "our user at the wallet is locked",
}
# Not this payee's fault either, and over once money is put in.
NO_FUNDS = {"1": "the wallet's float is too small for this payment"}
# This payment only.
PAYEE = {
    "2": "below the wallet's minimum",
    "3": "above the wallet's maximum",
    "4": "the daily limit of the receiver is reached",
    "8": "the receiver's wallet is full",
    "2040": "the number is not registered for mobile money",
    "SFC_IC0003": "the number does not exist",
}
FAILS = {**CONFIGURATION, **NO_FUNDS, **PAYEE}
STOPS = {**CONFIGURATION, **NO_FUNDS}
# While one of these stopped the channel, asking would only be refused again.
LOCKS_US_OUT = {*CONFIGURATION, "token"}

# Status of a transaction, as a status query tells it.
DONE = "Completed"
NOT_DONE = {"Declined", "Cancelled", "Expired"}
# A status query about something the wallet has never heard of. It may be asked before
# the payment has arrived there, so this decides nothing.
NO_SUCH = "2032"
NO_SUCH_WORDS = "the wallet knows no such payment"

# Ours: a person has declared a payment not paid, by evidence from outside.
NOT_IN_STATEMENT = "not_in_statement"


def words_for(code: str, told: str = "") -> str:
    """Plain words for a code; what the wallet said for those we do not know."""
    return FAILS.get(code) or told or f"the wallet answered with code {code}"
