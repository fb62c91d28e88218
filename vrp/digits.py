"""Whole numbers as people type them, in forms, searches and files."""


def whole_number(text: str, most: int = 15) -> int | None:
    """The number that plain digits 0-9 spell, or None for anything else.

    ``int()`` alone would also take signs, underscores and the digits of other scripts.
    More than ``most`` digits is None: no count of ours is that long, and 15 fit the
    database's ids.
    """
    digits = text.strip()
    plain = digits.isascii() and digits.isdigit() and len(digits) <= most
    return int(digits) if plain else None
