"""What Daraja checks before it accepts a request, and the errors it answers with."""

import re
from typing import Any

from aiohttp import web

from simulators.hub import plain_json

MINIMUM, MAXIMUM = 10, 250_000  # whole KES for one payment
MSISDN = re.compile(r"254[17]\d{8}")
SHORTCODE = re.compile(r"\d{5,7}")
URL = re.compile(r"https?://[^\s/]+(/\S*)?")
FORBIDDEN_IN_URL = ("mpesa", "safaricom", "exe", "exec", "cmd", "sql", "query")
B2C_COMMANDS = ("BusinessPayment", "PromotionPayment", "SalaryPayment")


class Refused(Exception):
    """A request that is refused at once, as Daraja words it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def answer(self, request_id: str) -> web.Response:
        body = {
            "requestId": request_id,
            "errorCode": self.code,
            "errorMessage": self.message,
        }
        return plain_json(body, self.status)


def bad(field: str) -> Refused:
    return Refused(400, "400.002.02", f"Bad Request - Invalid {field}")


def _check(body: dict[str, Any], field: str, good: bool) -> None:
    if not good:
        raise bad(field)


def _text(body: dict[str, Any], field: str) -> str:
    value = body.get(field)
    return value if isinstance(value, str) else ""


def _number_text(body: dict[str, Any], field: str) -> str:
    """Return a number or a text of digits as text; "" for anything else."""
    value = body.get(field)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return ""
    return str(value)


def _check_urls(body: dict[str, Any]) -> None:
    for field in ("ResultURL", "QueueTimeOutURL"):
        url = _text(body, field)
        _check(body, field, bool(URL.fullmatch(url)))
        found = next((w for w in FORBIDDEN_IN_URL if w in url.lower()), None)
        if found:
            raise Refused(400, "400.003.02", f"Bad Request - Invalid {field}: {found}")


def _check_remarks(body: dict[str, Any]) -> None:
    _check(body, "Remarks", 2 <= len(_text(body, "Remarks")) <= 100)
    for field in ("Occassion", "Occasion"):
        if body.get(field) is not None:
            good = isinstance(body[field], str) and len(body[field]) <= 100
            _check(body, field, good)


def check_b2c(body: dict[str, Any]) -> tuple[str, int]:
    """Check a payment request: (phone as 2547.., whole KES); raises Refused."""
    originator = _text(body, "OriginatorConversationID")
    _check(body, "OriginatorConversationID", 0 < len(originator) <= 100)
    _check(body, "InitiatorName", bool(_text(body, "InitiatorName")))
    _check(body, "SecurityCredential", bool(_text(body, "SecurityCredential")))
    _check(body, "CommandID", body.get("CommandID") in B2C_COMMANDS)
    amount = _number_text(body, "Amount")
    _check(body, "Amount", amount.isascii() and amount.isdigit())
    _check(body, "Amount", MINIMUM <= int(amount) <= MAXIMUM)
    shortcode, phone = _number_text(body, "PartyA"), _number_text(body, "PartyB")
    _check(body, "PartyA", bool(SHORTCODE.fullmatch(shortcode)))
    _check(body, "PartyB", bool(MSISDN.fullmatch(phone)))
    _check_remarks(body)
    _check_urls(body)
    return phone, int(amount)


def check_query(body: dict[str, Any], command: str) -> None:
    """Check a status or balance request; raises Refused."""
    _check(body, "Initiator", bool(_text(body, "Initiator")))
    _check(body, "SecurityCredential", bool(_text(body, "SecurityCredential")))
    _check(body, "CommandID", body.get("CommandID") == command)
    shortcode = _number_text(body, "PartyA")
    _check(body, "PartyA", bool(SHORTCODE.fullmatch(shortcode)))
    _check(body, "IdentifierType", _number_text(body, "IdentifierType") == "4")
    _check_remarks(body)
    _check_urls(body)
    if command == "TransactionStatusQuery":
        named = _text(body, "TransactionID") or _text(body, "OriginalConversationID")
        _check(body, "TransactionID", bool(named))
