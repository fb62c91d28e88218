"""Writes to the network: workshops, people, skills, capacity."""

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from artisans.enums import Language
from artisans.models import CapacityPeriod, Workshop
from artisans.numbers import normalise_phone
from vrp.errors import Conflict, Invalid
from vrp.events.services import Actor, record

MAX_CAPACITY = 10_000
MAX_AHEAD = timedelta(days=731)


@transaction.atomic
def set_language(*, workshop: Workshop, language: str, actor: Actor) -> Workshop:
    """Every message after this is written in that language."""
    workshop = Workshop.objects.select_for_update(of=("self",)).get(pk=workshop.pk)
    if language not in Language.values:
        raise Invalid("Unknown language.", field="language")
    if workshop.language == language:
        return workshop
    workshop.language = language
    workshop.save(update_fields=["language"])
    record(
        "workshop.language_set",
        subject=workshop,
        actor=actor,
        data={"language": language},
    )
    return workshop


@transaction.atomic
def set_capacity(*, workshop: Workshop, pieces: int, actor: Actor) -> Workshop:
    """The usual weekly capacity from now on, in pieces."""
    if not 0 <= pieces <= MAX_CAPACITY:
        raise Invalid(f"Say 0 to {MAX_CAPACITY} pieces a week.", field="pieces")
    workshop = Workshop.objects.select_for_update(of=("self",)).get(pk=workshop.pk)
    if workshop.capacity_per_week == pieces:
        return workshop
    before, workshop.capacity_per_week = workshop.capacity_per_week, pieces
    workshop.save(update_fields=["capacity_per_week"])
    record(
        "workshop.capacity_set",
        subject=workshop,
        actor=actor,
        data={"before": before, "after": pieces},
    )
    return workshop


@transaction.atomic
def add_period(
    *,
    workshop: Workshop,
    starts_on: date,
    ends_on: date,
    pieces: int,
    actor: Actor,
    reason: str = "",
) -> CapacityPeriod:
    """Another weekly capacity between two dates (0 = pause). Scores stay untouched.

    Saying the same as last time changes nothing. Raises ``Invalid`` for days that are
    over, in the wrong order or more than ``MAX_AHEAD`` away.
    """
    today = timezone.localdate()
    if ends_on < starts_on:
        raise Invalid("The last day is before the first.", field="ends_on")
    if ends_on < today:
        raise Invalid("These days are over.", field="ends_on")
    if ends_on > today + MAX_AHEAD:
        raise Invalid("That is too far ahead: two years at most.", field="ends_on")
    if not 0 <= pieces <= MAX_CAPACITY:
        raise Invalid(f"Say 0 to {MAX_CAPACITY} pieces a week.", field="pieces")
    workshop = Workshop.objects.select_for_update(of=("self",)).get(pk=workshop.pk)
    latest = workshop.periods.order_by("-id").first()
    said = (starts_on, ends_on, pieces)
    if latest and said == (latest.starts_on, latest.ends_on, latest.pieces_per_week):
        return latest
    period = CapacityPeriod.objects.create(
        tenant=workshop.tenant,
        workshop=workshop,
        starts_on=starts_on,
        ends_on=ends_on,
        pieces_per_week=pieces,
        reason=reason,
    )
    record(
        "workshop.period_added",
        subject=workshop,
        actor=actor,
        reason=reason,
        data={"from": str(starts_on), "to": str(ends_on), "pieces": pieces},
    )
    return period


@transaction.atomic
def change_phone(*, workshop: Workshop, phone: str, actor: Actor) -> Workshop:
    """Give a workshop another number. Raises ``Conflict`` if somebody else has it."""
    number = normalise_phone(phone, workshop.tenant.country)
    workshop = Workshop.objects.select_for_update(of=("self",)).get(pk=workshop.pk)
    if workshop.phone == number:
        return workshop
    taken = Workshop.objects.filter(phone=number).exclude(pk=workshop.pk).first()
    if taken:
        raise Conflict(f"{taken.code} has this number already.", field="phone")
    workshop.phone = number
    workshop.save(update_fields=["phone"])
    record("workshop.phone_changed", subject=workshop, actor=actor)
    return workshop


def changed_fields(row: Any, values: dict[str, Any]) -> list[str]:
    """The names whose value differs on the row; sets them."""
    names = [name for name, value in values.items() if getattr(row, name) != value]
    for name in names:
        setattr(row, name, values[name])
    return names
