"""Grades, and the states of batches and rework."""

from django.db.models import TextChoices


class Grade(TextChoices):
    """Every item gets one (facts A42); rework and scrap are verdicts, not grades sold."""

    AA = "aa", "AA"
    A = "a", "A"
    B = "b", "B"
    REWORK = "rework", "rework"
    SCRAP = "scrap", "scrap"


# Accepted: paid and used. A B for colour alone is sold on the web (facts A43, A44).
ACCEPTED_GRADES = (Grade.AA, Grade.A, Grade.B)


class DefectClass(TextChoices):
    QUALITY = "quality", "quality"
    CONSISTENCY = "consistency", "differs within the batch"


class BatchState(TextChoices):
    OPEN = "open", "to be graded"
    GRADED = "graded", "graded"


class BatchKind(TextChoices):
    FIRST = "first", "first inspection"
    REWORK = "rework", "rework returned"


class TicketState(TextChoices):
    OPEN = "open", "at the workshop"
    RETURNED = "returned", "returned"
    LOST = "lost", "written off"


# Grades that say what is wrong: one of these needs a defect for every piece.
NEEDS_DEFECT = (Grade.B, Grade.REWORK, Grade.SCRAP)
REJECTED_GRADES = (Grade.REWORK, Grade.SCRAP)

TICKET_MOVES: dict[str, frozenset[str]] = {
    TicketState.OPEN: frozenset({TicketState.RETURNED, TicketState.LOST}),
    TicketState.RETURNED: frozenset(),
    TicketState.LOST: frozenset(),
}
