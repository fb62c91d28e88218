"""What she is owed and what she was sent, the unknown said as unknown."""

from django.utils import timezone

from payments.enums import PayoutState
from payments.models import Payout
from payments.queries import owed_to
from phone import queries, words
from phone.ussd.model import Dial, Row, Screen, Values

SHOWN = 5
_TEXT_OF = {
    PayoutState.PAID: "paid_row",
    PayoutState.FAILED: "failed_row",
    PayoutState.UNKNOWN: "unknown_row",
    PayoutState.REVIEW: "unknown_row",
}


def _values(dial: Dial) -> Values:
    return {"owed": words.money(owed_to(dial.workshop), dial.tenant.currency)}


def _rows(dial: Dial) -> list[Row]:
    found = queries.recent_payouts(dial.workshop, SHOWN)
    rows = [Row(payout.pk, _line(payout, dial)) for payout in found]
    return rows or [Row(0, dial.say("money_none"))]


def _line(payout: Payout, dial: Dial) -> str:
    at = payout.settled_at or payout.sent_at or payout.due_at
    return dial.say(
        _TEXT_OF.get(PayoutState(payout.state), "underway_row"),
        day=words.day(timezone.localtime(at).date(), dial.language),
        pay=words.money(payout.amount_minor, payout.currency),
        receipt=words.clip(payout.receipt, 16),
    )


MONEY = [Screen("money", values=_values, rows=_rows)]
