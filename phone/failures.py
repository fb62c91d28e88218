"""Why a message did not arrive, in words that a planner can act on.

Codes are the carrier's (``Recipients[].status``, ``failureReason``, its one-word
refusals) and our own.
"""

_WORDS = {
    # -- the carrier refused the account: nothing is sent until somebody acts
    "InvalidSenderId": "the carrier does not know our sender name",
    "InsufficientBalance": "our account with the carrier is empty",
    "InsufficientCredit": "our account with the carrier is empty",
    "Unauthorised": "the carrier refused our key",
    "UserAccountSuspended": "the carrier suspended our account",
    # -- this phone
    "RiskHold": "held back by the carrier as a risk",
    "InvalidPhoneNumber": "the phone number is not valid",
    "UnsupportedNumberType": "not a number that can receive messages",
    "UserInBlacklist": "she has blocked messages from us",
    "UserInBlackList": "she has blocked messages from us",
    "UserIsInactive": "the phone number is not in use",
    "UserDoesNotExist": "the phone number is not in use",
    "NotNetworkSubcriber": "the number belongs to another network",
    "NotNetworkSubscriber": "the number belongs to another network",
    "CouldNotRoute": "the carrier found no way to this network",
    "DoNotDisturbRejection": "refused at this time of day",
    "AbsentSubscriber": "the phone was off or out of reach",
    "Expired": "the phone was not reached in time",
    "DeliveryFailure": "the network could not deliver it",
    "Rejected": "the network refused it",
    "Failed": "the network could not deliver it",
    # -- the carrier's own troubles
    "InternalServerError": "the carrier had a fault",
    "GatewayError": "the carrier had a fault",
    "RejectedByGateway": "the network refused it",
    "TooManyRequests": "the carrier asked us to slow down",
    "NotReached": "the carrier could not be reached",
    "NoAnswer": "the carrier did not answer; it may have been sent",
    "Unreadable": "the carrier's answer made no sense; it may have been sent",
    "Lost": "our worker stopped in the middle; it may have been sent",
    # -- ours
    "NoChannel": "no carrier account is set up",
    "TooOld": "it waited for more than a day, so it was not sent",
    "SentAgain": "sent again by staff as a new message",
    "LeftAsIs": "left as it is by staff",
    "CouldNotRead": "we could not act on it; see the log",
}


def words(code: str) -> str:
    """The failure in words; a code that is not listed is shown as it came."""
    return _WORDS.get(code, code)
