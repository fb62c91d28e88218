"""Form fields that read numbers, days and text as the API and the files do.

Django's own also take the digits of other scripts, signs, underscores and exponents.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from vrp.digits import plain_day, plain_decimal, whole_number
from vrp.text import WRONG, is_clean


class WholeNumberField(forms.IntegerField):
    """Plain digits 0-9."""

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str) and value.strip():
            value = whole_number(value, most=18)
            if value is None:
                raise ValidationError("Give a whole number.", code="invalid")
        return super().to_python(value)


class SignedNumberField(forms.IntegerField):
    """Plain digits 0-9, perhaps behind a minus sign."""

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str) and value.strip():
            digits = whole_number(value.strip().removeprefix("-"), most=18)
            if digits is None:
                raise ValidationError("Give a whole number.", code="invalid")
            value = -digits if value.strip().startswith("-") else digits
        return super().to_python(value)


class PlainDecimalField(forms.DecimalField):
    """Plain digits, perhaps with a point."""

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        if isinstance(value, str) and value.strip():
            value = plain_decimal(value)
            if value is None:
                raise ValidationError("Give a number, such as 0.25.", code="invalid")
        return super().to_python(value)


class DayField(forms.DateField):
    """A day written 2027-03-29, which is what a browser's own date field sends."""

    def to_python(self, value: Any) -> date | None:
        if isinstance(value, str) and value.strip():
            day = plain_day(value.strip())
            if day is None:
                raise ValidationError("Write the day as 2027-03-29.", code="invalid")
            return day
        return super().to_python(value)


class LineField(forms.CharField):
    """Text of one line, without characters that nobody can see."""

    one_line = True

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if isinstance(text, str) and not is_clean(text, one_line=self.one_line):
            raise ValidationError(WRONG, code="hidden")
        return text


class LinesField(LineField):
    """Text of several lines."""

    one_line = False
    widget = forms.Textarea


# For the back office: the form field of each kind of column.
OVERRIDES: dict[type[models.Field], dict[str, Any]] = {
    models.IntegerField: {"form_class": SignedNumberField},
    models.PositiveIntegerField: {"form_class": WholeNumberField},
    models.PositiveSmallIntegerField: {"form_class": WholeNumberField},
    models.SmallIntegerField: {"form_class": SignedNumberField},
    models.BigIntegerField: {"form_class": SignedNumberField},
    models.PositiveBigIntegerField: {"form_class": WholeNumberField},
    models.DecimalField: {"form_class": PlainDecimalField},
    models.DateField: {"form_class": DayField},
    models.CharField: {"form_class": LineField},
    # Its own reader takes plain letters, digits, hyphens and underscores only.
    models.SlugField: {"form_class": forms.SlugField},
    models.TextField: {"form_class": LinesField},
}
