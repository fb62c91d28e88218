"""Every text fits, in both languages, with the longest values that can occur."""

import string
from datetime import date

import pytest

from phone import gsm, texts, words
from phone.texts.screens import SCREENS
from phone.texts.sms import SMS

LONG_DAY = date(2027, 9, 28)
LONGEST = {
    "job": 1234567,
    "quantity": 100000,
    "made": 100000,
    "delivered": 100000,
    "declared": 100000,
    "counted": 100000,
    "missing": 100000,
    "component": words.code("HORN-PENDANT-LARGE"),
    "rate": words.money(9_999_950, "KES"),
    "total": words.amount(9_999_999_900, "KES"),
    "pay": words.money(9_999_999_900, "KES"),
    "owed": words.money(9_999_999_900, "KES"),
    "items": 100000,
    "count": 100000,
    "most": 100000,
    "low": 100000,
    "high": 100000,
    "ussd": "*384*55555#",
    "delivery": "D-999999",
    "batch": "B-999999",
    "run": "PR-99999",
    "receipt": words.clip("NLJ41HAY6QNLJ41HAY6Q", 16),
    "reference": "1234567-1234",
    "name": words.first_name("Wanjiku-Nyokabi Kamau"),
    "jobs": "1234567 HORN-PENDANT 100000/100000, 1234567 HORN-PENDANT x100000?",
}
GRADES = {
    "en": "10000 AA, 10000 A, 10000 B, 10000 rework (colour differs batch) by 28 Sep, "
    "10000 scrap",
    "sw": "10000 AA, 10000 A, 10000 B, 10000 kurekebisha (rangi tofauti furushi) kabla "
    "ya 28 Sep, 10000 zimetupwa",
}


def values(language: str) -> dict[str, object]:
    return {
        **LONGEST,
        "grades": GRADES[language],
        "tenant": "A Brand With Quite A Long Name, Nairobi "[:40],
        "due": words.day(LONG_DAY, language),
        "day": words.weekday(date(2027, 9, 27), language),
    }


def names(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("language", ["en", "sw"])
@pytest.mark.parametrize("key", SMS)
def test_an_sms_is_one_part(key: str, language: str) -> None:
    text = texts.sms(key, language, **values(language))
    assert gsm.is_gsm(text)
    assert gsm.length(text) <= texts.SMS_LIMIT, f"{gsm.length(text)}: {text}"
    assert gsm.parts(text) == 1


@pytest.mark.parametrize("language", ["en", "sw"])
@pytest.mark.parametrize("key", SCREENS)
def test_a_screen_fits_with_its_longest_note(key: str, language: str) -> None:
    note = texts.screen("bad_number", language, low=1, high=100000) + "\n"
    text = note + texts.screen(key, language, **values(language))
    assert gsm.is_gsm(text)
    assert gsm.length(text) <= texts.SCREEN_LIMIT, f"{gsm.length(text)}: {text}"


@pytest.mark.parametrize("table", [SMS, SCREENS])
def test_both_languages_say_the_same_things(table: dict[str, dict[str, str]]) -> None:
    for key, sides in table.items():
        assert set(sides) == {"en", "sw"}, key
        assert names(sides["en"]) == names(sides["sw"]), key


def test_an_unknown_language_reads_english() -> None:
    assert texts.language_of("am") == "en"
    assert texts.language_of("sw") == "sw"


def test_days_and_money_in_both_languages() -> None:
    assert words.day(date(2027, 3, 15), "en") == "15 Mar"
    assert words.day(date(2027, 3, 15), "sw") == "15 Mac"
    assert words.weekday(date(2027, 3, 11), "sw") == "Alhamisi 11 Mac"
    assert words.money(5_152_000, "KES") == "KES 51,520"
    assert words.amount(5_600_050, "KES") == "56,000.50"
    assert words.money(1500, "UGX") == "UGX 1,500"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("{" * 80, 1),
        ("{" * 81, 2),
        # An extension character may not straddle two parts.
        ("a" * 152 + "{" + "a" * 151, 2),
        ("a" * 152 + "{" + "a" * 152, 3),
        ("\u0416" * 70, 1),
        ("\u0416" * 71, 2),
        ("\U0001f600" * 35, 1),
        ("\U0001f600" * 36, 2),
    ],
)
def test_parts(text: str, parts: int) -> None:
    assert gsm.parts(text) == parts


def test_smart_characters_are_folded() -> None:
    cow = "ng\u2019ombe " * 20
    assert gsm.parts(cow) == 3
    assert gsm.parts(gsm.fold(cow)) == 1
    assert gsm.fold("\u201cHi\u201d \u2013 a\u00a0b\u2026") == '"Hi" - a b...'
    assert gsm.fold("Ng\u0169g\u0129, caf\u00e9") == "Ngugi, caf\u00e9"
    assert gsm.fold("\u1200") == "\u1200"
