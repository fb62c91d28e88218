"""How many parts an SMS is sent in, and what a feature phone can draw.

GSM 03.38: 160 characters fit one part, 153 each when it is split; the characters of
the extension table count twice and may not straddle two parts. Anything else turns
the whole text into UCS-2: 70 characters, or 67 each.
"""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€\f")


def _split(widths: list[int], single: int, multi: int) -> int:
    if sum(widths) <= single:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > multi:
            parts, used = parts + 1, 0
        used += width
    return parts


def parts(text: str) -> int:
    """Return the number of SMS parts ``text`` costs (an empty text costs one)."""
    if all(char in BASIC or char in EXTENDED for char in text):
        return _split([2 if char in EXTENDED else 1 for char in text], 160, 153)
    units = [len(char.encode("utf-16-be")) // 2 for char in text]
    return _split(units, 70, 67)


def drawable(text: str) -> str:
    """Return ``text`` as a USSD screen draws it: unknown characters become ``?``."""
    return "".join(
        char if char in BASIC or char in EXTENDED else "?"
        for char in text.replace("\t", " ")
    )
