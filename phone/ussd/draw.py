"""From a screen to the characters on the phone; long lists page by themselves."""

from phone.gsm import length
from phone.texts import SCREEN_LIMIT
from phone.ussd.model import Again, Dial, End, Row, Screen

MORE, BACK = "98", "0"
# Numbers of rows stay clear of 98, and nobody scrolls further.
MOST_ROWS = 90


def draw(screen: Screen, dial: Dial, note: Again | None = None) -> str | End:
    """The text of a screen, at most 150 characters of GSM-7; ``note`` stands on top.

    Keeps in ``dial.data["page"]`` which rows were shown, so that a choice means what she
    saw even if the list has changed since.
    """
    values = screen.values(dial)
    if isinstance(values, End):
        return values
    head = dial.say(screen.id, **values)
    if note:
        head = f"{dial.say(note.key, **note.values)}\n{head}"
    if screen.rows is None:
        return head
    rows = list(screen.rows(dial))[:MOST_ROWS]
    if not rows and screen.empty:
        return End(screen.empty)
    return _page(head, rows, screen, dial)


def _page(head: str, rows: list[Row], screen: Screen, dial: Dial) -> str:
    """As many rows from the page's first one as fit, numbered through the whole list."""
    first = min(int(dial.data.get("page", {}).get("first", 0)), max(len(rows) - 1, 0))
    back, more = dial.say("back"), dial.say("more")
    lines = [head]
    shown: list[Row] = []
    for number, row in enumerate(rows[first:], start=first + 1):
        line = f"{number} {row.text}" if screen.pick else row.text
        tail = [back] if number == len(rows) else [more, back]
        if shown and length("\n".join([*lines, line, *tail])) > SCREEN_LIMIT:
            break
        lines.append(line)
        shown.append(row)
    after = first + len(shown)
    dial.data["page"] = {
        "first": first,
        "ids": [row.id for row in shown],
        "next": after if after < len(rows) else None,
    }
    return "\n".join([*lines, *([more] if after < len(rows) else []), back])


def picked(dial: Dial, answer: str) -> int | str | None:
    """The id of the row that the answer names on the page she saw."""
    page = dial.data.get("page", {})
    ids, first = page.get("ids", []), page.get("first", 0)
    if not (answer.isascii() and answer.isdigit()) or len(answer) > 3:
        return None
    index = int(answer) - 1 - first
    return ids[index] if 0 <= index < len(ids) else None


def turn_page(dial: Dial) -> bool:
    """Go to the next page; False on the last one."""
    after = dial.data.get("page", {}).get("next")
    if after is None:
        return False
    dial.data["page"] = {"first": after}
    return True
