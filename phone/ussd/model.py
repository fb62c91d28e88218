"""What a screen is. A screen is declared once, as data, and drawn in any language.

    Screen("reason", values=..., choices={"1": step, ...})

``text`` of a screen is the key of the same name in ``phone.texts.screens``. 0 leads
``back``. A step gets the dial and the answer and says what comes next: the id of a
screen, ``Again`` (the same screen with a note) or ``End`` (the last words).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from artisans.models import Workshop
from phone import texts
from vrp.digits import whole_number
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant

Values = dict[str, Any]


@dataclass
class Dial:
    """One turn of one session: who dials, and what was chosen so far (``data``)."""

    tenant: Tenant
    workshop: Workshop
    data: dict[str, Any]
    today: date

    @property
    def language(self) -> str:
        """Her language, as it is now: it may change within the session."""
        return texts.language_of(self.workshop.language)

    @property
    def actor(self) -> Actor:
        return Actor.artisan(self.workshop)

    def say(self, key: str, **values: Any) -> str:
        """A text of ``phone.texts.screens`` in her language."""
        return texts.screen(key, self.language, **values)


@dataclass(frozen=True)
class End:
    """The session is over with this text."""

    key: str
    values: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Again:
    """The answer does not fit: the same screen once more, under this note."""

    key: str = "again"
    values: Values = field(default_factory=dict)


Next = str | Again | End
Step = Callable[[Dial, str], Next]


@dataclass(frozen=True)
class Row:
    """A line of a list. ``id`` (JSON plain) is handed to the screen's ``pick``."""

    id: int | str
    text: str


def nothing(dial: Dial) -> Values:
    """Values of a text without names."""
    return {}


@dataclass(frozen=True)
class Screen:
    """One screen.

    values: named values of its text, or End when what it is about is gone.
    choices: key -> step, or the id of the next screen.
    typed: takes any other answer (a number).
    rows: lines of a list, ``pick`` takes the id of the chosen one; a list without
    ``pick`` is only read. ``empty``: text key of the End when there is no line.
    """

    id: str
    values: Callable[[Dial], Values | End] = nothing
    choices: dict[str, Step | str] = field(default_factory=dict)
    typed: Step | None = None
    rows: Callable[[Dial], Iterable[Row]] | None = None
    pick: Callable[[Dial, Any], Next] | None = None
    empty: str = ""
    back: str = "main"


def number_between(dial: Dial, answer: str, low: int, high: int) -> int | Again:
    """The answer as a number within ``low..high``, or what to say instead."""
    number = whole_number(answer.replace(",", "").replace(" ", ""), most=8)
    if number is not None and low <= number <= high:
        return number
    return Again("bad_number", {"low": low, "high": high})
