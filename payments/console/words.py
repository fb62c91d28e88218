"""Plain words for what became of a payment, for people who have not read the code."""

import re
from typing import Any

from payments.enums import PayoutState
from payments.models import Payout
from vrp.errors import Invalid

# The next payment to the same number would fail as well.
WRONG_NUMBER = {"2040", "SFC_IC0003", "400.002.02"}
_WORDS = {
    PayoutState.DRAFT: "Waits for a second person to approve the run.",
    PayoutState.SENDING: "Being handed to the wallet now.",
    PayoutState.ACCEPTED: "The wallet has it. It is paid when the receipt comes.",
    PayoutState.CANCELLED: "The run was cancelled; the amount is owed as before.",
}
# Tones of the bar of a run.
TONES = [
    ("Paid", "good", (PayoutState.PAID,)),
    (
        "Under way",
        "waiting",
        (PayoutState.QUEUED, PayoutState.SENDING, PayoutState.ACCEPTED),
    ),
    ("Unknown", "unknown", (PayoutState.UNKNOWN, PayoutState.REVIEW)),
    ("Failed", "bad", (PayoutState.FAILED,)),
    ("Not sent", "neutral", (PayoutState.DRAFT, PayoutState.CANCELLED)),
]


def outcome_words(payout: Payout) -> str:
    """One or two sentences: what is known, and what happens next."""
    told = payout.last_error.rstrip(".")
    match payout.state:
        case PayoutState.PAID:
            return f"Receipt {payout.receipt}"
        case PayoutState.QUEUED if not payout.attempts:
            return "Approved; it leaves in a moment."
        case PayoutState.QUEUED:
            return f"Not sent: {told or 'no answer'}. It is tried again by itself."
        case PayoutState.FAILED:
            first = (
                "Put the number right first. "
                if payout.result_code in WRONG_NUMBER
                else ""
            )
            return f"Not paid: {told}. {first}It is owed again; the next run pays it."
        case PayoutState.UNKNOWN:
            return f"{told}. We ask the wallet; until it answers nobody sends it again."
        case PayoutState.REVIEW:
            return (
                f"{told}. Ask again, or compare with the wallet's own statement; "
                "it is not sent again."
            )
    return _WORDS[PayoutState(payout.state)]


def bar_of(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Parts of a run for ``{% split_bar %}``, from payout counts by state."""
    parts = [
        {"label": label, "tone": tone, "value": sum(counts.get(s, 0) for s in states)}
        for label, tone, states in TONES
    ]
    return [part for part in parts if part["value"]]


def read_total(text: str) -> int:
    """A total that a person typed, as minor units: 93,560 or KES 93560.00.

    Raises ``Invalid`` for anything that is not an amount with at most two decimals.
    """
    plain = re.sub(r"^[A-Z]{3}", "", text.strip().upper()).replace(",", "")
    match = re.fullmatch(r"\s*([0-9]{1,15})(?:\.([0-9]{1,2}))?", plain, re.ASCII)
    if not match:
        raise Invalid("Type the total as an amount, such as 93,560.", field="total")
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
