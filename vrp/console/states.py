"""What a state means to the person who reads it: one of six meanings.

Every screen draws a state by its meaning, with one colour and one icon each, so
that a planner learns six signs and not sixty. The table below is by state value,
as stored (lower case). A state that is missing here is drawn as neutral.
"""

from enum import StrEnum


class Meaning(StrEnum):
    """How a state is drawn. The icon carries the meaning where colour cannot."""

    NEUTRAL = "neutral"
    WAITING = "waiting"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"


ICON_OF = {
    Meaning.NEUTRAL: "dot",
    Meaning.WAITING: "clock",
    Meaning.GOOD: "check",
    Meaning.WARN: "alert",
    Meaning.BAD: "cross",
    Meaning.UNKNOWN: "question",
}

_STATES_BY_MEANING: dict[Meaning, str] = {
    Meaning.NEUTRAL: """
        draft proposed closed cancelled withdrawn discarded retired paused inactive
        reversed skipped dropped none
    """,
    Meaning.WAITING: """
        pending queued due offered sent sending wired asked submitted waiting
        in_progress in_production running scheduled booked open planned released
        placed received reading parts_in assembled finished packed
    """,
    Meaning.GOOD: """
        accepted approved paid delivered passed done active shipped graded settled
        confirmed ok ready covered made published handled answered verified up aa a
    """,
    Meaning.WARN: """
        late part partial short held on_hold rework countered lapsed silent expired
        overdue at_risk retrying appealed returned unmatched b
    """,
    Meaning.BAD: """
        failed rejected declined refused blocked scrap bounced error suspended down lost
    """,
    Meaning.UNKNOWN: "unknown review",
}

# Where one word means something else for one kind of thing, as "kind.state": a payout
# that the wallet has accepted is not yet paid.
_EXCEPTIONS = {
    "delivery.received": Meaning.GOOD,
    "payout.accepted": Meaning.WAITING,
    "plan.ready": Meaning.WAITING,
    "run.approved": Meaning.WAITING,
    "run.draft": Meaning.WAITING,
    "ticket.open": Meaning.WARN,
    "ticket.returned": Meaning.GOOD,
}

MEANING_OF: dict[str, Meaning] = {
    state: meaning
    for meaning, states in _STATES_BY_MEANING.items()
    for state in states.split()
}


def meaning_of(state: str, of: str = "") -> Meaning:
    """The meaning of a stored state, for one kind of thing where that matters.

    Neutral when the table does not know the state.
    """
    word = str(state).strip().lower()
    return _EXCEPTIONS.get(f"{of}.{word}") or MEANING_OF.get(word, Meaning.NEUTRAL)
