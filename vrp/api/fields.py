"""Serializer fields that take exactly one JSON type, and money as the API writes it."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from vrp.digits import plain_day, plain_moment, whole_number
from vrp.text import LINE, LINES, WRONG, is_clean

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
    """A JSON string; a number is not taken for one. Ends are trimmed.

    Refused is what ``vrp.text`` refuses, in a text of one line or of several
    (``one_line=False``), and what does not match ``pattern`` (one that JavaScript and
    Python read alike; ``wrong`` says so in words).
    """

    def __init__(
        self,
        *,
        one_line: bool = True,
        pattern: str = "",
        wrong: str = "",
        **kwargs: Any,
    ) -> None:
        self.one_line, self.pattern, self.wrong = one_line, pattern, wrong
        super().__init__(**kwargs)

    def run_validation(self, data: Any = empty) -> Any:
        long = isinstance(data, str) and len(data) > (self.max_length or len(data))
        if long:
            # Before trimming, so that the length is what the document says it is.
            self.fail("max_length", max_length=self.max_length)
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        value = super().to_internal_value(data)
        if not is_clean(value, one_line=self.one_line):
            raise serializers.ValidationError(WRONG)
        if self.pattern and value and not re.search(self.pattern, value):
            raise serializers.ValidationError(self.wrong)
        return value


class StrictTextSchema(OpenApiSerializerFieldExtension):
    """The document carries the rule as a pattern."""

    target_class = StrictText

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        field = self.target
        found = auto_schema._map_serializer_field(field, direction, True)
        if field.pattern:
            return {**found, "pattern": field.pattern}
        rules = [{"type": "string", "pattern": LINE if field.one_line else LINES}]
        if not field.allow_blank:
            # Something that can be seen: blanks alone are trimmed away.
            rules.append({"type": "string", "pattern": r"\S"})
        return {**found, "allOf": rules}


@extend_schema_field({"type": "integer"})
class StrictInteger(serializers.IntegerField):
    """A JSON integer; ``"12"``, ``12.0`` and ``true`` are refused."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class QueryInteger(serializers.IntegerField):
    """Plain digits 0-9 in an address."""

    def to_internal_value(self, data: Any) -> int:
        plain = isinstance(data, str) and data == data.strip()
        number = whole_number(data) if plain else None
        if number is None:
            self.fail("invalid")
        return number


@extend_schema_field({"type": "boolean"})
class QueryBoolean(serializers.Field):
    """``true`` or ``false`` in an address."""

    def to_internal_value(self, data: Any) -> bool:
        if data not in ("true", "false"):
            raise serializers.ValidationError("Write true or false.")
        return data == "true"

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "string", "format": "date"})
class Day(serializers.DateField):
    """A day written 2027-03-29; week dates and other digits are refused."""

    def to_internal_value(self, value: Any) -> date:
        day = plain_day(value) if isinstance(value, str) else None
        if day is None:
            raise serializers.ValidationError("Write the day as 2027-03-29.")
        return day


@extend_schema_field({"type": "string", "format": "date-time"})
class Moment(serializers.DateTimeField):
    """A moment with its offset (2027-03-01T06:00:00Z); written in UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)

    def to_internal_value(self, value: Any) -> datetime:
        moment = plain_moment(value) if isinstance(value, str) else None
        if moment is not None:
            with suppress(OverflowError, serializers.ValidationError):
                return self.enforce_timezone(moment)
        raise serializers.ValidationError("Write the moment as 2027-03-01T06:00:00Z.")


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
