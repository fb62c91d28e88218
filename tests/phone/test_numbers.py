"""One spelling for a phone number, and what is refused."""

import pytest

from artisans.numbers import normalise_phone
from vrp.errors import Invalid

WANTED = "+254712345678"


@pytest.mark.parametrize(
    "raw",
    [
        "+254712345678",
        "254712345678",
        "0712345678",
        "712345678",
        " 254712345678",
        "00254712345678",
        "000254712345678",
        "+254 712 345 678",
        "+254-712-345-678",
        "(0712) 345678",
        "0712.345.678",
        "  0712345678\n",
        "+254 (0) 712 345678",
    ],
)
def test_every_spelling_becomes_one(raw: str) -> None:
    assert normalise_phone(raw) == WANTED


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("0110123456", "+254110123456"),
        ("+254799900001", "+254799900001"),
        ("+251911234567", "+251911234567"),
    ],
)
def test_other_mobile_numbers(raw: str, wanted: str) -> None:
    assert normalise_phone(raw) == wanted


def test_another_country_has_its_own_local_form() -> None:
    assert normalise_phone("0911234567", "ET") == "+251911234567"
    assert normalise_phone(" 251911234567", "ET") == "+251911234567"


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "O712345678",
        "07l2345678",
        "+2547123456",
        "07123456789",
        "0200000000",
        "0202345678",
        "+1",
        "++254712345678",
        "254+712345678",
        "+254712345678;ext=5",
        "0712345678/0722345678",
        "0712345678,0722345678",
        "12345",
        "*384*55#",
        "\x000712345678",
        "none",
        "+999712345678",
        "0" * 200,
    ],
)
def test_what_is_not_a_mobile_number_is_refused(raw: str) -> None:
    with pytest.raises(Invalid) as refused:
        normalise_phone(raw)
    assert refused.value.field == "phone"
    assert refused.value.message.endswith((".",))
    assert len(refused.value.message) < 120
