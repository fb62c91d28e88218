"""How two PO numbers are compared: as a person reads them, not as bytes."""

import unicodedata

# Not shown, though Unicode does not count them as format characters: grapheme joiner,
# fillers of Hangul, vowel signs of Khmer without a shape.
UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")


def po_key(po_number: str) -> str:
    """The number without case, width, invisible characters and repeated spaces.

    ``NRD-1``, ``nrd-1``, a full-width one and one with a zero-width space inside are the
    same; "" if nothing of it can be seen. Raw text of 40 letters gives at most 800.
    """
    text = unicodedata.normalize("NFKC", po_number).casefold()
    text = "".join(letter for letter in text if not _is_unseen(letter))
    return " ".join(unicodedata.normalize("NFKC", text).split())[:800]


def _is_unseen(letter: str) -> bool:
    if letter in UNSEEN or "\ufe00" <= letter <= "\ufe0f":
        return True
    # Lines and tabs are spaces to a reader.
    return unicodedata.category(letter) in ("Cf", "Cc") and not letter.isspace()
