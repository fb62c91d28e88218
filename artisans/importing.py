"""Workshops with their artisans and skills, from one spreadsheet: a row per artisan.

The lead's row carries the workshop's own columns (name, area, phone, language, capacity,
skills); the other rows of the workshop leave them empty. Skills are written
``horn-carving:4 brass-casting:2``.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Model
from django.utils import timezone
from django.utils.text import slugify

from artisans.enums import Engagement, Gender, Language
from artisans.models import Area, Artisan, Skill, Workshop, WorkshopSkill
from artisans.numbers import normalise_phone
from artisans.services import changed_fields
from vrp.accounts.enums import Permission
from vrp.errors import Invalid
from vrp.events.services import Actor, record
from vrp.imports.reader import Column, Row
from vrp.imports.services import (
    Importer,
    Outcome,
    Reading,
    parse_choice,
    parse_date,
    parse_number,
    quoted,
    register,
)
from vrp.tenancy.models import Tenant

BATCH = 1_000
WRITE_SKILLS = "Write skills as code:level, separated by spaces."

COLUMNS = [
    Column("workshop", "code of the workshop", "W-017"),
    Column("artisan", "code of the person", "A-0017"),
    Column("name", "the person's name", "Wanjiku Otieno"),
    Column("engagement", "lead, full_time, part_time or outsourced", "lead"),
    Column("gender", "female, male or unstated", "female"),
    Column("joined_on", "first day", "2024-03-01"),
    Column("left_on", "last day, if gone", "", required=False),
    Column("born_year", "year of birth", "1988", required=False),
    Column("workshop_name", "lead row: the workshop's name", "Otieno Horn", False),
    Column("area", "lead row: area", "Kibera", False),
    Column("region", "lead row: region of a new area", "Nairobi", False),
    Column("phone", "lead row: mobile number", "0712345678", False),
    Column("language", "lead row: en or sw", "sw", False),
    Column("capacity_per_week", "lead row: pieces a week", "80", False),
    Column(
        "skills",
        "lead row: code:level, 1 to 5, separated by spaces",
        "horn-carving:4",
        False,
    ),
]


@dataclass
class _Network:
    """What is there already, read once, and what the file adds, written at the end.

    So a file costs a bounded number of queries, however many rows it has.
    """

    tenant: Tenant
    areas: dict[str, Area]
    skills: dict[str, Skill]
    workshops: dict[str, Workshop]
    artisans: dict[str, Artisan]
    phones: dict[str, str]
    held: dict[tuple[str, int], WorkshopSkill]
    new: dict[type[Model], list[Any]] = field(default_factory=lambda: defaultdict(list))
    changed: dict[type[Model], list[Any]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @classmethod
    def read(cls, tenant: Tenant) -> "_Network":
        areas = {row.pk: row for row in Area.objects.all()}
        workshops = {row.pk: row for row in Workshop.objects.all()}
        artisans = list(Artisan.objects.all())
        # Parents are at hand: comparing a row must not cost a query.
        for workshop in workshops.values():
            workshop.area = areas[workshop.area_id]
        for artisan in artisans:
            artisan.workshop = workshops[artisan.workshop_id]
        return cls(
            tenant=tenant,
            areas={key: row for row in areas.values() for key in _keys(row)},
            skills={row.code: row for row in Skill.objects.all()},
            workshops={row.code: row for row in workshops.values()},
            artisans={row.code: row for row in artisans},
            phones={row.phone: row.code for row in workshops.values()},
            held={
                (workshops[row.workshop_id].code, row.skill_id): row
                for row in WorkshopSkill.objects.all()
            },
        )

    def write(self) -> None:
        """Parents first. Whoever stops being a lead goes before who becomes one."""
        for model in (Area, Workshop, WorkshopSkill):
            model.objects.bulk_create(self.new[model], batch_size=BATCH)
        _update(Workshop, self.changed[Workshop], WORKSHOP_FIELDS)
        _update(WorkshopSkill, self.changed[WorkshopSkill], ["level"])
        people = self.changed[Artisan]
        _update(Artisan, [one for one in people if not _leads(one)], ARTISAN_FIELDS)
        _update(Artisan, [one for one in people if _leads(one)], ARTISAN_FIELDS)
        Artisan.objects.bulk_create(self.new[Artisan], batch_size=BATCH)


WORKSHOP_FIELDS = ["name", "area", "phone", "language", "capacity_per_week"]
ARTISAN_FIELDS = [
    "workshop", "name", "gender", "engagement", "born_year", "joined_on", "left_on",
]  # fmt: skip


def _update(model: Any, rows: list[Any], fields: list[str]) -> None:
    if rows:
        model.objects.bulk_update(rows, fields, batch_size=BATCH)


def _keys(area: Area) -> tuple[str, str]:
    """An area is found by its name or its code, in any case."""
    return area.name.lower(), area.code.lower()


def _leads(artisan: Artisan) -> bool:
    return artisan.engagement == Engagement.LEAD and artisan.left_on is None


def _is_lead_row(row: Row) -> bool:
    """Whether the row carries the workshop's own columns."""
    return row["engagement"].casefold() == Engagement.LEAD and not row["left_on"]


def _is_unclear(row: Row) -> bool:
    """Whether the row may be the lead's: its engagement cannot be read."""
    return row["engagement"].casefold() not in Engagement.values


def load(tenant: Tenant, rows: list[Row], actor: Actor, outcome: Outcome) -> None:
    """Write the file's network; every refused row is noted with its line and reason."""
    network = _Network.read(tenant)
    _check_codes(rows, network, outcome)
    for row in rows:
        if _is_lead_row(row) or (_is_unclear(row) and row["workshop_name"]):
            _workshop(network, row, outcome)
    for row in rows:
        _artisan(network, row, outcome)
    _check_leads(rows, network, outcome)
    if outcome.errors:
        return  # nothing of the file is kept, so nothing is written
    network.write()
    if outcome.created or outcome.changed:
        record(
            "network.imported",
            subject=tenant,
            tenant=tenant,
            actor=actor,
            data=outcome.summary(),
        )


def _check_codes(rows: list[Row], network: _Network, outcome: Outcome) -> None:
    """Each artisan once; each workshop known or with exactly one lead row."""
    seen: dict[str, int] = {}
    leads: dict[str, int] = {}
    for row in rows:
        first = seen.setdefault(row["artisan"], row.line)
        if first != row.line and row["artisan"]:
            outcome.refuse(row.line, "artisan", f"This code is on line {first} too.")
        if _is_lead_row(row):
            first = leads.setdefault(row["workshop"], row.line)
            if first != row.line:
                outcome.refuse(
                    row.line, "engagement", f"The lead is on line {first} already."
                )
    # An engagement that cannot be read is told as such; it may have been the lead's.
    unclear = {row["workshop"] for row in rows if _is_unclear(row)}
    for row in rows:
        code = row["workshop"]
        if not code:
            outcome.refuse(row.line, "workshop", "This may not be empty.")
        elif code not in unclear | leads.keys() | network.workshops.keys():
            outcome.refuse(row.line, "workshop", "This workshop has no lead row.")
            leads[code] = row.line


def _check_leads(rows: list[Row], network: _Network, outcome: Outcome) -> None:
    """No workshop ends up with a second lead beside one who is not in the file."""
    in_file = {row["artisan"] for row in rows}
    leads = {
        artisan.workshop.code: artisan
        for code, artisan in network.artisans.items()
        if code not in in_file and _leads(artisan)
    }
    for row in rows:
        there = leads.get(row["workshop"])
        if there and _is_lead_row(row):
            outcome.refuse(
                row.line,
                "engagement",
                f"{there.code} is the lead already; give that person's row too, "
                "with another engagement or a last day.",
            )


def _need(row: Row, column: str, longest: int = 80) -> str:
    value = row[column]
    if not value:
        raise Invalid("This may not be empty.", field=column)
    if len(value) > longest:
        raise Invalid(f"At most {longest} characters.", field=column)
    return value


def _workshop(network: _Network, row: Row, outcome: Outcome) -> None:
    reading = Reading(row.line, outcome)
    code = reading.take(lambda: _need(row, "workshop", 20)) or ""
    found = network.workshops.get(code)
    if found and not row["workshop_name"] and not row["phone"]:
        # A lead row that only updates the person leaves the workshop as it is.
        return
    take, capacity = reading.take, "capacity_per_week"
    values: dict[str, Any] = {
        "phone": take(lambda: _phone(network, row, code)),
        "name": take(lambda: _need(row, "workshop_name")),
        "area": take(lambda: _area(network, row)),
        "language": take(
            lambda: parse_choice(row["language"] or "en", Language, "language")
        ),
        capacity: take(
            lambda: parse_number(row[capacity] or "50", capacity, low=0, high=10_000)
        ),
    }
    skills = take(lambda: _skills(network, row)) or {}
    if found is None:
        values["joined_on"] = take(lambda: parse_date(row["joined_on"], "joined_on"))
    if reading.failed:
        return
    if found is None:
        found = Workshop(tenant=network.tenant, code=code, **values)
        network.workshops[code] = found
        network.new[Workshop].append(found)
        outcome.created += 1
        _hold(network, found, skills)
        return
    changed = changed_fields(found, values)
    if changed:
        network.changed[Workshop].append(found)
    if _hold(network, found, skills) or changed:
        outcome.changed += 1
    else:
        outcome.unchanged += 1


def _phone(network: _Network, row: Row, code: str) -> str:
    phone = normalise_phone(_need(row, "phone"), network.tenant.country)
    owner = network.phones.setdefault(phone, code)
    if owner != code:
        raise Invalid(f"{owner} has this number already.", field="phone")
    return phone


def _area(network: _Network, row: Row) -> Area:
    name = _need(row, "area")
    code = slugify(name)[:30]
    if not code:
        raise Invalid("Write the area's name in letters.", field="area")
    area = network.areas.get(name.lower()) or network.areas.get(code)
    if area is None:
        area = Area(
            tenant=network.tenant,
            code=code,
            name=name,
            region=row["region"][:60] or name[:60],
        )
        network.new[Area].append(area)
        network.areas.update(dict.fromkeys(_keys(area), area))
    return area


def _skills(network: _Network, row: Row) -> dict[Skill, int]:
    found: dict[Skill, int] = {}
    for part in row["skills"].replace(",", " ").split():
        code, _, level = part.partition(":")
        if code not in network.skills:
            known = ", ".join(sorted(network.skills)[:20]) or "none yet"
            raise Invalid(
                f"No skill {quoted(code)}. {WRITE_SKILLS} Known: {known}.",
                field="skills",
            )
        if not level:
            raise Invalid(
                f"The level of {quoted(code)} is missing. {WRITE_SKILLS}",
                field="skills",
            )
        found[network.skills[code]] = parse_number(level, "skills", low=1, high=5)
    return found


def _hold(network: _Network, workshop: Workshop, skills: dict[Skill, int]) -> bool:
    """Give the workshop these skills; whether anything changed."""
    changed = False
    for skill, level in skills.items():
        held = network.held.get((workshop.code, skill.pk))
        if held is None:
            held = WorkshopSkill(
                tenant=network.tenant, workshop=workshop, skill=skill, level=level
            )
            network.held[workshop.code, skill.pk] = held
            network.new[WorkshopSkill].append(held)
            changed = True
        elif held.level != level:
            held.level = level
            network.changed[WorkshopSkill].append(held)
            changed = True
    return changed


def _artisan(network: _Network, row: Row, outcome: Outcome) -> None:
    # None: its lead row was refused, or it has none. That is noted there; the person's
    # own mistakes are still worth telling in the same go.
    workshop = network.workshops.get(row["workshop"])
    reading = Reading(row.line, outcome)
    take = reading.take
    joined_on = take(lambda: parse_date(row["joined_on"], "joined_on"))
    values: dict[str, Any] = {
        "workshop": workshop,
        "name": take(lambda: _need(row, "name")),
        "gender": take(lambda: parse_choice(row["gender"], Gender, "gender")),
        "engagement": take(
            lambda: parse_choice(row["engagement"], Engagement, "engagement")
        ),
        "born_year": take(lambda: _born(row, joined_on)),
        "joined_on": joined_on,
        "left_on": take(lambda: _left(row, joined_on)),
    }
    code = take(lambda: _need(row, "artisan", 20)) or ""
    if workshop is None or reading.failed:
        return
    found = network.artisans.get(code)
    if found is None:
        network.new[Artisan].append(Artisan(tenant=network.tenant, code=code, **values))
        outcome.created += 1
    elif changed_fields(found, values):
        network.changed[Artisan].append(found)
        outcome.changed += 1
    else:
        outcome.unchanged += 1


def _left(row: Row, joined_on: date | None) -> date | None:
    """The last day, if gone. ``joined_on`` is None where it could not be read."""
    left_on = parse_date(row["left_on"], "left_on") if row["left_on"] else None
    if left_on and joined_on and left_on < joined_on:
        raise Invalid("Left before joining.", field="left_on")
    return left_on


def _born(row: Row, joined_on: date | None) -> int | None:
    """Year of birth; nobody under 18 works (facts A74)."""
    if not row["born_year"]:
        return None
    year = parse_number(
        row["born_year"], "born_year", low=1900, high=timezone.localdate().year
    )
    if joined_on and joined_on.year - year < 18:
        raise Invalid("Under 18 when joining: check the age.", field="born_year")
    return year


NETWORK = register(
    Importer(
        kind="workshops",
        title="Workshops, artisans and skills",
        permission=Permission.EDIT_NETWORK,
        columns=COLUMNS,
        load=load,
    )
)
