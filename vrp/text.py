"""Text as people and systems send it: one rule for the API, forms and files.

Refused are control characters, halves of surrogate pairs, and characters that show
nothing or turn the text around (zero width, direction marks, byte order marks): two names
that look the same must be the same. A text of several lines may hold line ends, tabs, and
the joiners of letters and pictures.
"""

import re

from vrp.errors import Invalid

# As a class of a regular expression that JavaScript and Python read alike, so that it
# can stand in the OpenAPI document.
CONTROLS = r"\u0000-\u001f\u007f-\u009f"
MEANT_CONTROLS = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
INVISIBLE = (
    r"\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff"
)
# Turn the text behind them around.
TURNS = r"\u202a-\u202e\u2066-\u2069"
# What a text of one line, and one of several, must match as a whole.
LINE = rf"^[^{CONTROLS}{INVISIBLE}]*$"
LINES = rf"^[^{MEANT_CONTROLS}{TURNS}]*$"
_IN_LINE = re.compile(rf"[{CONTROLS}{INVISIBLE}\ud800-\udfff]")
_IN_LINES = re.compile(rf"[{MEANT_CONTROLS}{TURNS}\ud800-\udfff]")

WRONG = "It holds a character that cannot be seen or kept; type it anew."


def is_clean(text: str, *, one_line: bool = True) -> bool:
    """Whether the text may be kept as it is."""
    return not (_IN_LINE if one_line else _IN_LINES).search(text)


def searched(text: str, most: int = 60) -> str:
    """Words to look for: what cannot be in a kept text is dropped, ends trimmed, cut."""
    return _IN_LINE.sub("", text).strip()[:most]


def typed(text: str, field: str, *, most: int) -> str:
    """A reason or note that a person typed, ends trimmed.

    Raises ``Invalid`` for what may not be kept and for more than ``most`` characters:
    nothing is cut off unseen.
    """
    if not is_clean(text, one_line=False):
        raise Invalid(WRONG, field=field)
    text = text.strip()
    if len(text) > most:
        told = f"It has {len(text):,} characters; at most {most:,} can be kept."
        raise Invalid(told, field=field)
    return text
