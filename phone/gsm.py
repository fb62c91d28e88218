"""GSM 03.38: what a text costs, and how to keep it cheap.

One part holds 160 characters of the basic alphabet, or 153 when the text is split;
characters of the extension table count twice and may not straddle two parts. A single
character outside both turns the whole text into UCS-2: 70 characters, or 67 each. So
"smart" punctuation, which means nothing more than its plain form, is folded first.
"""

import unicodedata

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€\f")

_PLAIN = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4`",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad",
    " ": "\u00a0\u2002\u2003\u2007\u2008\u2009\u200a\u202f\u3000\t",
    "...": "\u2026",
    "*": "\u2022\u00b7",
    "x": "\u00d7",
    "": "\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\ufe0f",
}
_FOLD = str.maketrans(
    {smart: plain for plain, smarts in _PLAIN.items() for smart in smarts}
)


def is_gsm(text: str) -> bool:
    """Whether every character is in GSM-7's basic or extension table."""
    return all(char in BASIC or char in EXTENDED for char in text)


def fold(text: str) -> str:
    """The text with smart punctuation made plain and foreign accents dropped.

    A character that GSM-7 has (è, ñ, ü ...) stays; one that has a plain base letter
    becomes it; any other stays, and the text is then sent as UCS-2.
    """
    return "".join(map(_fold_char, text.translate(_FOLD)))


def _fold_char(char: str) -> str:
    if char in BASIC or char in EXTENDED:
        return char
    base = unicodedata.normalize("NFKD", char)
    plain = "".join(part for part in base if not unicodedata.combining(part))
    return plain if plain and is_gsm(plain) else char


def length(text: str) -> int:
    """Characters that the text takes: extension characters two, UCS-2 units one."""
    if is_gsm(text):
        return sum(2 if char in EXTENDED else 1 for char in text)
    return len(text.encode("utf-16-be")) // 2


def parts(text: str) -> int:
    """How many SMS parts the text costs; an empty text costs one."""
    if is_gsm(text):
        return _split([2 if char in EXTENDED else 1 for char in text], 160, 153)
    return _split([len(char.encode("utf-16-be")) // 2 for char in text], 70, 67)


def _split(widths: list[int], single: int, multi: int) -> int:
    if sum(widths) <= single:
        return 1
    count, used = 1, 0
    for width in widths:
        if used + width > multi:
            count, used = count + 1, 0
        used += width
    return count
