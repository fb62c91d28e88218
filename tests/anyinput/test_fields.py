"""Numbers, days, moments and texts are read alike by the API, the forms and the files.

The fields are found by walking every serializer that reads and every form; what is odd
goes through each of them, so a new field that reads otherwise fails here.
"""

import inspect
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.test import RequestFactory
from rest_framework import serializers

from orders.api import serializers as api
from payments.console.words import read_total
from tests.anyinput.odd import DAYS, HALVES, HIDDEN, NUMBERS
from tests.builders import Network
from vrp.accounts.admin import MembershipForm
from vrp.accounts.models import User
from vrp.accounts.permissions import Grant
from vrp.api.fields import (
    Day,
    Moment,
    QueryBoolean,
    QueryInteger,
    StrictInteger,
    StrictSerializer,
    StrictText,
)
from vrp.console import fields as console
from vrp.digits import plain_day, plain_decimal, plain_moment, whole_number
from vrp.errors import Invalid
from vrp.imports.services import parse_date, parse_number
from vrp.text import is_clean, searched

MOMENTS = [
    "2027-03-01", "2027-03-01T06:00:00", "2027-03-01T06:00Z", "2027-W09-1T06:00:00Z",
    "20270301T060000Z", "２０２７-03-01T06:00:00Z", "2027-03-01T06:00:00+3", "1772344800",
    "2027-03-01T25:00:00Z", "2027-02-30T06:00:00Z", "2027-03-01T06:00:00 EAT", "now",
    "2027-03-01T06:00:00Z\n", "2027-03-01T06:00:00+99:99", "0000-01-01T00:00:00Z",
]  # fmt: skip
# Numbers with a sign: plain where a number may be below zero.
SIGNED = {"-5", "-0"}
DECIMALS = {"5.0"}
CONSOLES = ("orders.console.forms", "matching.console.forms", "vrp.console.styleguide",
            "vrp.accounts.admin", "orders.admin", "artisans.admin")  # fmt: skip


def reading() -> Iterator[tuple[str, serializers.Field]]:
    """Every field of the API that reads what somebody sent."""
    for name, found in inspect.getmembers(api, inspect.isclass):
        if issubclass(found, (StrictSerializer, api.PageQuery)):
            for field_name, field in found().fields.items():
                yield f"{name}.{field_name}", field


def posted() -> Iterator[tuple[str, forms.Field]]:
    """Every field of a form of ours."""
    for module in CONSOLES:
        for name, found in inspect.getmembers(import_module(module), inspect.isclass):
            if issubclass(found, forms.BaseForm) and found.__module__ == module:
                for field_name, field in found.base_fields.items():
                    yield f"{module}.{name}.{field_name}", field


def office() -> Iterator[tuple[str, forms.Field]]:
    """Every field of the back office, with its inner forms."""
    request: HttpRequest = RequestFactory().get("/")
    # Links beside a field are shown to those who may follow them.
    request.user = User(username="root", is_staff=True, is_superuser=True)
    request.grant = Grant()  # type: ignore[attr-defined]
    for model, one in admin.site._registry.items():
        if model.__module__.startswith("django"):
            continue
        for place in (one, *(inner(model, admin.site) for inner in one.inlines)):
            for column in place.model._meta.concrete_fields:
                if column.editable and not column.primary_key:
                    field = place.formfield_for_dbfield(column, request)
                    if field is not None:
                        label = place.model._meta.label
                        yield f"{label}.{column.name}", field


# Their own readers refuse what is odd: chosen words and rows.
OWN_RULES = (forms.ModelChoiceField, forms.ChoiceField, forms.BooleanField,
             forms.MultiValueField, forms.JSONField)  # fmt: skip


def test_the_api_has_no_field_that_reads_in_its_own_way() -> None:
    known = (Day, Moment, QueryBoolean, QueryInteger, StrictInteger, StrictText,
             StrictSerializer, serializers.ChoiceField, serializers.ListField)  # fmt: skip
    found = dict(reading())
    assert len(found) > 15
    for name, field in found.items():
        assert isinstance(field, known), name
    names = {type(field).__name__ for field in found.values()}
    assert {"Day", "Moment", "StrictText", "QueryInteger"} <= names


def refused_by_api(field: serializers.Field, value: Any) -> bool:
    try:
        field.run_validation(value)
    except serializers.ValidationError:
        return True
    return False


def test_what_the_api_refuses() -> None:
    for name, field in reading():
        if isinstance(field, QueryInteger | StrictInteger):
            odd: list[Any] = [*NUMBERS, " 5", "5 ", "5\n", None, True, 5.0, [], {}, ""]
        elif isinstance(field, Day):
            odd = [*DAYS, " 2027-03-29", "", 5, None, True, []]
        elif isinstance(field, Moment):
            odd = [*MOMENTS, *DAYS, "", 5, None, True, []]
        elif isinstance(field, QueryBoolean):
            odd = ["True", "TRUE", "1", "0", "yes", "on", "t", "", " true", "ｔｒｕｅ"]
        elif isinstance(field, StrictText):
            lines = ["\x00", "a\x07b", "a\x7fb", "a\x85b", *HALVES]
            odd = [*(HIDDEN if field.one_line else lines), *HALVES, 5, True, [], {}]
            odd += ["x" * (field.max_length + 1), " " * (field.max_length + 1)]
            odd += [] if field.allow_blank else ["", " ", "\t"]
        else:
            continue
        for value in odd:
            assert refused_by_api(field, value), (name, value)


def refused_by_form(field: forms.Field, value: str) -> bool:
    try:
        field.clean(value)
    except ValidationError:
        return True
    return False


def check_form(name: str, field: forms.Field) -> None:
    """Refused, or (where it has no reading of ours) of a kind with rules of its own."""
    if isinstance(field, SimpleArrayField):
        field = field.base_field
    if isinstance(field, forms.DecimalField):
        odd = [one for one in NUMBERS if one not in DECIMALS]
    elif isinstance(field, console.SignedNumberField):
        odd = [one for one in NUMBERS if one not in SIGNED]
    elif isinstance(field, forms.IntegerField):
        odd = NUMBERS
    elif isinstance(field, forms.DateTimeField):
        odd = []
    elif isinstance(field, forms.DateField):
        odd = DAYS
    elif isinstance(field, console.LinesField):
        odd = ["\x00", "a\x07b", "a\x7fb", "a\u202eb", "a\u2066b"]
    elif isinstance(field, forms.CharField) and not isinstance(field, OWN_RULES):
        odd = HIDDEN
    else:
        assert isinstance(field, OWN_RULES), (name, type(field))
        odd = []
    for value in odd:
        assert refused_by_form(field, value), (name, type(field).__name__, value)


def test_what_the_forms_refuse() -> None:
    found = list(posted())
    assert len(found) > 10
    for name, field in found:
        if not name.endswith("MembershipForm.regions"):
            check_form(name, field)
    check_form("regions", MembershipForm().fields["regions"])


@pytest.mark.django_db
def test_what_the_back_office_refuses(network: Network) -> None:
    found = [(n, f) for n, f in office() if n.split(".")[0] in ROOMS]
    assert len(found) > 40
    for name, field in found:
        check_form(name, field)


ROOMS = {"orders", "artisans", "qc", "tenancy"}


@pytest.mark.parametrize("text", NUMBERS)
def test_no_reader_of_numbers_takes(text: str) -> None:
    assert whole_number(text) is None
    if text not in DECIMALS:
        assert plain_decimal(text) is None
    with pytest.raises(Invalid):
        parse_number(text, "quantity", low=0, high=10**9)


@pytest.mark.parametrize("text", DAYS)
def test_no_reader_of_days_takes(text: str) -> None:
    assert plain_day(text) is None
    with pytest.raises(Invalid):
        parse_date(text, "ship_by")


@pytest.mark.parametrize("text", MOMENTS)
def test_no_reader_of_moments_takes(text: str) -> None:
    assert plain_moment(text) is None


def test_what_all_readers_take() -> None:
    assert whole_number(" 012 ") == 12
    assert plain_decimal("0.25") == Decimal("0.25")
    assert plain_day("2027-03-29") == date(2027, 3, 29)
    moment = plain_moment("2027-03-29T06:00:00.5+03:00")
    assert moment == datetime.fromisoformat("2027-03-29T03:00:00.500000+00:00")
    assert console.SignedNumberField().clean("-5") == -5
    assert QueryInteger().run_validation("12") == 12


def test_totals_of_money() -> None:
    assert read_total("KES 93,560.5") == 9_356_050
    for text in ("９３", "1e5", "-5", "+5", "NaN", "1_000", "5.001", "", "5.", "٥"):
        with pytest.raises(Invalid):
            read_total(text)


@pytest.mark.parametrize("text", [*HIDDEN, *HALVES])
def test_hidden_letters(text: str) -> None:
    assert not is_clean(text)
    assert is_clean(searched(text))


@pytest.mark.parametrize(
    "text",
    ["Wanjikũ wa Ng'ang'a", "Ng\u2019ombe", "ወርቅ", "شيماء", "王", "Ünal", "👩🏽 x"],
)
def test_names_of_the_world_are_kept(text: str) -> None:
    assert is_clean(text)
    assert console.LineField().clean(text) == text
    assert StrictText(max_length=40).run_validation(text) == text
