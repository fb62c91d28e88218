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
        draft new proposed closed cancelled canceled withdrawn superseded retired
        paused inactive archived reversed skipped dropped off none
    """,
    Meaning.WAITING: """
        pending queued due offered sent sending submitted awaiting_approval
        waiting in_progress in_production in_work making started progress running
        processing scheduled booked open planned planning released placed received
        counted inspecting grading assembling finishing packing expected draft_run
        quarantine
    """,
    Meaning.GOOD: """
        accepted approved paid delivered passed done complete completed active
        shipped graded settled confirmed ok ready covered packed assembled finished
        made published processed verified success healthy up on aa a
    """,
    Meaning.WARN: """
        late partial partly_accepted short shortage held on_hold hold rework
        countered lapsed expired overdue at_risk retrying appealed returned stale
        b
    """,
    Meaning.BAD: """
        failed rejected declined refused blocked scrap scrapped bounced error
        suspended dead down undeliverable invalid
    """,
    Meaning.UNKNOWN: "unknown",
}

MEANING_OF: dict[str, Meaning] = {
    state: meaning
    for meaning, states in _STATES_BY_MEANING.items()
    for state in states.split()
}


def meaning_of(state: str) -> Meaning:
    """The meaning of a stored state; neutral when the table does not know it."""
    return MEANING_OF.get(str(state).strip().lower(), Meaning.NEUTRAL)
