"""Words of the network."""

from django.db.models import TextChoices


class Gender(TextChoices):
    FEMALE = "female", "woman"
    MALE = "male", "man"
    UNSTATED = "unstated", "not stated"


class Engagement(TextChoices):
    """How an artisan works in a workshop (facts A1, A2)."""

    LEAD = "lead", "lead"
    FULL_TIME = "full_time", "full-time"
    PART_TIME = "part_time", "part-time (surge)"
    OUTSOURCED = "outsourced", "outsourced piece-work"


class Language(TextChoices):
    ENGLISH = "en", "English"
    SWAHILI = "sw", "Kiswahili"


class Segment(TextChoices):
    """Planner's filter (facts A15)."""

    ENTERPRISING = "enterprising", "enterprising"
    ARTISTIC = "artistic", "artistic"
    MONEY_DRIVEN = "money_driven", "called on for ramp-up"
    NONE = "", "not set"
