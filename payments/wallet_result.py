"""Reading what the wallet calls back with, in every shape it has been seen in.

Parameters come in any order; a Key may lack its Value or come twice; a single parameter
may be an object where a list is usual; parameters are absent on failure; ResultCode may
be a number or a text. Amounts are read as decimals, never as floats.
"""

import json
import re
import uuid
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

# An id without a transaction behind it ends in zeros, as failures carry.
NOTHING_BEHIND = re.compile(r"0{7}$")
RECEIPT = re.compile(r"[A-Z0-9]{6,40}")
# Plain digits, perhaps in groups of thousands; no sign, exponent or other script.
AMOUNT = re.compile(r"(?:[0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\.[0-9]{1,6})?")
AMOUNT_KEYS = ("TransactionAmount", "Amount")
# Stands for an amount that is there and is neither text nor number.
NO_AMOUNT = "?"
LONGEST = 200


@dataclass(frozen=True)
class WalletResult:
    """One result. ``values`` and ``reference`` by key; texts are cut at 200 letters."""

    code: str
    words: str
    originator: str
    conversation: str
    transaction: str
    values: dict[str, str] = field(default_factory=dict)
    reference: dict[str, str] = field(default_factory=dict)

    @property
    def is_status(self) -> bool:
        """Whether this answers a status query (and so is no proof of its own)."""
        return "TransactionStatus" in self.values

    @property
    def receipt(self) -> str:
        """The receipt of a payment or of the payment asked about; "" if there is none.

        A status answer has an id of its own, which is not the payment's.
        """
        own = "" if self.is_status else self.transaction
        found = (
            self.values.get("TransactionReceipt") or self.values.get("ReceiptNo") or own
        )
        good = RECEIPT.fullmatch(found) and not NOTHING_BEHIND.search(found)
        return found if good else ""

    @property
    def amount(self) -> Decimal | None:
        """The amount in whole currency units with decimals; None if it is not told or
        cannot be read."""
        told = self._told
        return Decimal(told.replace(",", "")) if AMOUNT.fullmatch(told) else None

    def differs_from(self, amount_minor: int) -> bool:
        """Whether an amount is told and is not this one (minor units, two decimals).

        One that is told and cannot be read is not this one.
        """
        return bool(self._told) and self.amount != Decimal(amount_minor).scaleb(-2)

    @property
    def _told(self) -> str:
        return next((self.values[k] for k in AMOUNT_KEYS if self.values.get(k)), "")


def read_json(raw: str) -> dict[str, Any] | None:
    """A JSON object from a callback's text, or None for anything else."""
    try:
        found = json.loads(raw, parse_float=Decimal, parse_constant=str)
    except (ValueError, RecursionError, InvalidOperation):
        return None
    return found if isinstance(found, dict) else None


def read_result(body: dict[str, Any]) -> WalletResult | None:
    """The result in a callback's body, or None if it holds none."""
    result = body.get("Result")
    if not isinstance(result, dict) or "ResultCode" not in result:
        return None
    return WalletResult(
        code=text_of(result["ResultCode"]),
        words=text_of(result.get("ResultDesc")),
        originator=text_of(result.get("OriginatorConversationID")),
        conversation=text_of(result.get("ConversationID")),
        transaction=text_of(result.get("TransactionID")),
        values=_pairs(result.get("ResultParameters"), "ResultParameter"),
        reference=_pairs(result.get("ReferenceData"), "ReferenceItem"),
    )


def text_of(value: Any) -> str:
    """A short text for a JSON value; "" for nothing, lists and objects."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    if isinstance(value, int):
        # Python refuses to print very long integers.
        return str(value) if abs(value) < 10**40 else ""
    # Half characters and NUL are legal in JSON and not in our database.
    text = str(value).encode("utf-8", "replace").decode().replace("\x00", "")
    return text.strip()[:LONGEST]


def uuid_of(text: str) -> uuid.UUID | None:
    """Our own id, if the text is one."""
    try:
        return uuid.UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def _pairs(holder: Any, name: str) -> dict[str, str]:
    """Key and Value pairs under ``name``; the first filled value of a key counts."""
    inner = holder.get(name) if isinstance(holder, dict) else None
    rows = inner if isinstance(inner, list) else [inner]
    found: dict[str, str] = {}
    for row in rows[:100]:
        if not isinstance(row, dict):
            continue
        key, value = text_of(row.get("Key")), text_of(row.get("Value"))
        if not value and key in AMOUNT_KEYS and row.get("Value") not in (None, ""):
            value = NO_AMOUNT
        if key and not found.get(key):
            found[key] = value
    return found
