"""States of a plan and of its proposals."""

from django.db.models import TextChoices


class PlanState(TextChoices):
    QUEUED = "queued", "waiting for a worker"
    RUNNING = "running", "being computed"
    READY = "ready", "ready for review"
    RELEASED = "released", "released"
    DISCARDED = "discarded", "discarded"
    FAILED = "failed", "failed"


PLAN_MOVES: dict[str, frozenset[str]] = {
    PlanState.QUEUED: frozenset({PlanState.RUNNING, PlanState.DISCARDED}),
    PlanState.RUNNING: frozenset(
        {PlanState.READY, PlanState.FAILED, PlanState.QUEUED, PlanState.DISCARDED}
    ),
    PlanState.READY: frozenset({PlanState.RELEASED, PlanState.DISCARDED}),
    PlanState.RELEASED: frozenset(),
    PlanState.DISCARDED: frozenset(),
    PlanState.FAILED: frozenset({PlanState.DISCARDED}),
}


class Answer(TextChoices):
    """How a workshop answered an offer, as history files write it."""

    ACCEPTED = "accepted", "accepted"
    PART = "part", "accepted in part"
    DECLINED = "declined", "declined"
    SILENT = "silent", "no answer"


class Dimension(TextChoices):
    """The five graded dimensions (facts A12)."""

    QUALITY = "quality", "Quality"
    TIMELINESS = "timeliness", "Timeliness"
    RESPONSIVENESS = "responsiveness", "Responsiveness"
    CAPACITY = "capacity", "Capacity"
    AVAILABILITY = "availability", "Availability"


class Obstacle(TextChoices):
    """Why a workshop was not considered, or got nothing, in a plan."""

    LEFT = "left", "left the network"
    SKILL = "skill", "does not hold the skill"
    LEVEL = "level", "skill level too low"
    PAUSED = "paused", "paused before the due date"
    FULL = "full", "no free capacity before the due date"
    OPEN_JOB = "open_job", "already has a job for this work order"
    DECLINED = "declined", "declined or did not answer this work order"
    MIN_LOT = "min_lot", "free capacity is below the smallest lot"
    OUTSCORED = "outscored", "others scored higher"
    SHARE = "share", "has had its share of the work"
    USED = "used", "its free capacity went to other work of this plan"
    COVERED = "covered", "others cover the whole need"
    EDITED = "edited", "taken out by a planner"


# A person may not place work there whatever the reason; the others are judgement.
HARD_OBSTACLES = frozenset(
    {
        Obstacle.LEFT,
        Obstacle.SKILL,
        Obstacle.LEVEL,
        Obstacle.PAUSED,
        Obstacle.OPEN_JOB,
    }
)
# The workshop could have made it: what the page shows first.
NEAR_OBSTACLES = (
    Obstacle.OUTSCORED,
    Obstacle.SHARE,
    Obstacle.USED,
    Obstacle.COVERED,
    Obstacle.MIN_LOT,
    Obstacle.EDITED,
)
# Plans that still may place what they propose.
PLAN_LIVE = (PlanState.QUEUED, PlanState.RUNNING, PlanState.READY)
