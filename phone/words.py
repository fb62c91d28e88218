"""Days, money and names as an artisan reads them, in English or Swahili, in plain ASCII.

Each has a greatest length, because a text must fit one SMS part or one screen whatever
the data are.
"""

from datetime import date

from phone.gsm import fold
from vrp.console.formats import EXPONENT_OF

# Three letters each.
MONTHS = {
    "en": "JanFebMarAprMayJunJulAugSepOctNovDec",
    "sw": "JanFebMacAprMeiJunJulAgoSepOktNovDes",
}
DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "sw": (
        "Jumatatu",
        "Jumanne",
        "Jumatano",
        "Alhamisi",
        "Ijumaa",
        "Jumamosi",
        "Jumapili",
    ),
}


def day(when: date, language: str) -> str:
    """15 Mar, 15 Mac. At most 6 characters."""
    month = MONTHS[language][3 * when.month - 3 : 3 * when.month]
    return f"{when.day} {month}"


def weekday(when: date, language: str) -> str:
    """Thu 12 Mar, Alhamisi 12 Mac. At most 15 characters."""
    return f"{DAYS[language][when.weekday()]} {day(when, language)}"


def amount(minor: int, currency: str) -> str:
    """5600000, "KES" is 56,000; cents only where there are any."""
    exponent = EXPONENT_OF.get(currency, 2)
    whole, rest = divmod(abs(minor), 10**exponent)
    text = f"{whole:,}" + (f".{rest:0{exponent}d}" if rest else "")
    return f"-{text}" if minor < 0 else text


def money(minor: int, currency: str) -> str:
    """KES 56,000."""
    return f"{currency} {amount(minor, currency)}"


def clip(text: str, size: int) -> str:
    """The text in GSM-7 letters, cut to ``size`` characters."""
    plain = "".join(char if ord(char) < 128 else "?" for char in fold(text))
    return plain[:size].rstrip()


def code(component_code: str) -> str:
    """A component's code, at most 12 characters."""
    return clip(component_code, 12)


def first_name(name: str) -> str:
    """What a person is called by: the first word, at most 12 characters."""
    words = name.split()
    return clip(words[0], 12) if words else ""


def joined(parts: list[str]) -> str:
    """60 AA, 28 A, 4 B."""
    return ", ".join(part for part in parts if part)
