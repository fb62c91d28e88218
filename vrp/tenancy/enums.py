"""The few choices a tenant makes for itself."""

from django.db.models import TextChoices


class SecondFactorRule(TextChoices):
    """Whom a tenant asks for a code besides the password, from the mildest on."""

    NONE = "none", "Nobody has to"
    MONEY = "money", "Everybody who moves money or gives roles"
    ALL = "all", "Everybody"
