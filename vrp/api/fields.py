"""Serializer fields that take exactly one JSON type, and money as the API writes it."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

# ISO 4217 currencies without minor units, as far as a network may meet them.
WHOLE = {"BIF", "DJF", "GNF", "JPY", "KMF", "KRW", "RWF", "UGX", "XAF", "XOF"}


def decimal_text(minor: int, currency: str) -> str:
    """Minor units as a decimal string: 3000 USD is ``30.00``, 500 UGX is ``500``."""
    if currency in WHOLE:
        return str(minor)
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def money(minor: int, currency: str) -> dict[str, str]:
    """``{"amount": "30.00", "currency": "USD"}``: never a float."""
    return {"amount": decimal_text(minor, currency), "currency": currency}


class MoneySerializer(serializers.Serializer):
    """An amount of money. A decimal string, because JSON numbers lose cents."""

    amount = serializers.RegexField(r"^-?[0-9]+(\.[0-9]{2})?$", help_text="e.g. 30.00")
    currency = serializers.RegexField(r"^[A-Z]{3}$", help_text="ISO 4217")


class StrictText(serializers.CharField):
    """A JSON string; a number is not taken for one. NUL and lone surrogates refused.

    ``one_line=True`` refuses control characters and line breaks too.
    """

    def __init__(self, *, one_line: bool = True, **kwargs: Any) -> None:
        self.one_line = one_line
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        value = super().to_internal_value(data)
        if self.one_line and any(ord(letter) < 32 for letter in value):
            raise serializers.ValidationError("Control characters are not allowed.")
        return value


@extend_schema_field({"type": "integer"})
class StrictInteger(serializers.IntegerField):
    """A JSON integer; ``"12"``, ``12.0`` and ``true`` are refused."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class StrictSerializer(serializers.Serializer):
    """A request body that refuses names it does not know: a typing error never passes
    for a field that was left out."""

    def to_internal_value(self, data: Any) -> Any:
        names = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        unknown: dict[str, Any] = dict.fromkeys(names[:20], "There is no such field.")
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if unknown and isinstance(error.detail, dict):
                raise serializers.ValidationError(unknown | error.detail) from error
            raise
        if unknown:
            raise serializers.ValidationError(unknown)
        return value
