"""One spelling for a phone number: E.164, mobile, valid by the numbering plan.

Rules from the carrier's and the wallet's side: a message and money can only reach a
mobile number, and both expect one canonical form. ``phonenumbers`` carries the plan;
what it would let pass too kindly (letters, short numbers) is refused here first.
"""

import re

import phonenumbers

from vrp.errors import Invalid

LETTER = re.compile(r"[^\W\d_]")
# Plain digits, as everywhere: ``phonenumbers`` would read those of other scripts too.
ALLOWED = re.compile(r"\+?[0-9\s().\-]+")
MOBILE = phonenumbers.PhoneNumberType.MOBILE


def normalise_phone(raw: str, country: str = "KE") -> str:
    """Return the number as E.164 (``+254712345678``).

    ``country`` (ISO 3166) is used for numbers without a country code. ``00`` in front
    means ``+``; one leading space before the country code is a ``+`` that a form
    decoder ate. Raises Invalid (field ``phone``) with a sentence that says what is
    wrong.
    """
    text = _repaired(str(raw), country)
    if not text:
        raise _invalid("The phone number is missing.")
    if LETTER.search(text):
        raise _invalid(f"{_quoted(raw)} has letters in it; a phone number has digits.")
    if not ALLOWED.fullmatch(text):
        raise _invalid(f"{_quoted(raw)} is not a phone number.")
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise _invalid(f"{_quoted(raw)} is not a phone number.") from error
    if not phonenumbers.is_valid_number(number):
        raise _invalid(f"{_quoted(raw)} is too short, too long or not in use.")
    if phonenumbers.number_type(number) != MOBILE:
        raise _invalid(f"{_quoted(raw)} is not a mobile number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _repaired(raw: str, country: str) -> str:
    code = str(phonenumbers.country_code_for_region(country))
    if raw.startswith(f" {code}"):
        raw = "+" + raw[1:]
    text = raw.strip()
    return "+" + text[2:] if re.match(r"00[1-9]", text) else text


def _quoted(raw: object) -> str:
    """What was given, short enough for a message."""
    text = "".join(sign if sign.isprintable() else "?" for sign in str(raw).strip())
    return f'"{text[:20]}..."' if len(text) > 20 else f'"{text}"'


def _invalid(message: str) -> Invalid:
    return Invalid(message, code="phone_invalid", field="phone")
