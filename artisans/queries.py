"""Reads of the network that more than one place needs."""

from datetime import date

from django.db.models import Q, QuerySet

from artisans.enums import Engagement
from artisans.models import Artisan, Workshop


def in_network(day: date) -> QuerySet[Workshop]:
    """Workshops that have not left by that day."""
    return Workshop.objects.filter(Q(left_on__isnull=True) | Q(left_on__gt=day))


def called(text: str) -> Q:
    """Workshops whose code, name, phone or lead's name holds these words."""
    words = text.replace("\x00", "").strip()[:60]
    if not words:
        return Q()
    found = Q(code__icontains=words) | Q(name__icontains=words)
    digits = "".join(sign for sign in words if sign.isdigit())
    if len(digits) >= 6:
        found |= Q(phone__contains=digits.lstrip("0"))
    # Asked of the leads alone: joined, everybody of every workshop would be read.
    leads = Artisan.objects.filter(
        engagement=Engagement.LEAD, left_on__isnull=True, name__icontains=words
    )
    return found | Q(pk__in=leads.values("workshop"))
