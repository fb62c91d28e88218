"""A network with the proportions of the sources (facts A1-A3, A19, A75).

125 workshops, each run by a lead; 1,520 people at work: 125 leads, 358 full-time, 290
part-time, 747 outsourced; 980 more registered who have left. 20 of the leads and 395 of
those at work are women, 99 of the part-timers.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from artisans.enums import Engagement, Gender
from artisans.models import Area, Artisan, Skill, Workshop, WorkshopSkill
from artisans.numbers import normalise_phone
from vrp.demo.people import NAMES
from vrp.tenancy.models import Tenant


@dataclass(frozen=True)
class Size:
    """How many of what; women are counted within."""

    leads: int
    full_time: int
    part_time: int
    outsourced: int
    left: int
    women_leads: int
    women_part_time: int
    women: int


KENYAN = Size(125, 358, 290, 747, 980, 20, 99, 395)
ETHIOPIAN = Size(12, 20, 14, 10, 8, 6, 6, 24)


@dataclass
class Truth:
    """What a workshop is really like. The system never sees it, only its results."""

    quality: float
    punctuality: float
    answers: float


@dataclass
class DemoNetwork:
    """What was made, for the history to be drawn from."""

    workshops: list[Workshop] = field(default_factory=list)
    truth: dict[str, Truth] = field(default_factory=dict)


def build_network(
    tenant: Tenant,
    size: Size,
    areas: list[tuple[str, str, int]],
    skills: dict[str, tuple[Skill, int]],
    rng: random.Random,
    today: date,
    phone_prefix: str,
) -> DemoNetwork:
    """Areas, workshops with a main skill by share, people. Phones end in the number."""
    places = [
        Area.objects.create(
            tenant=tenant, code=name.lower().replace(" ", "-"), name=name, region=region
        )
        for name, region, _ in areas
    ]
    spots = [
        p for p, (_, _, share) in zip(places, areas, strict=True) for _ in range(share)
    ]
    mains = [code for code, (_, share) in skills.items() for _ in range(share)]
    rng.shuffle(spots)
    rng.shuffle(mains)
    genders = _women_first(size.leads, size.women_leads, rng)
    network = DemoNetwork()
    for number in range(1, size.leads + 1):
        joined = today - timedelta(days=rng.randint(60, 1_800))
        _, family = _name(tenant.country, genders[number - 1], rng)
        craft = skills[mains[(number - 1) % len(mains)]][0]
        network.workshops.append(
            Workshop(
                tenant=tenant,
                code=f"W-{number:03d}",
                name=f"{family} {craft.material.capitalize()}",
                area=spots[(number - 1) % len(spots)],
                phone=normalise_phone(f"{phone_prefix}{number:04d}", tenant.country),
                language=rng.choice(("en", "sw", "sw"))
                if tenant.country == "KE"
                else "en",
                segment=rng.choices(
                    ("enterprising", "artistic", "money_driven"), (60, 20, 20)
                )[0],
                capacity_per_week=rng.choice((40, 50, 60, 70, 80, 100, 120)),
                joined_on=joined,
            )
        )
        network.truth[f"W-{number:03d}"] = Truth(
            quality=min(0.99, max(0.6, rng.gauss(0.89, 0.06))),
            punctuality=min(0.98, max(0.5, rng.gauss(0.86, 0.08))),
            answers=min(0.99, max(0.5, rng.gauss(0.9, 0.08))),
        )
    Workshop.objects.bulk_create(network.workshops)
    _give_skills(tenant, network.workshops, mains, skills, rng)
    _people(tenant, network.workshops, genders, size, rng, today)
    return network


def _give_skills(
    tenant: Tenant,
    workshops: list[Workshop],
    mains: list[str],
    skills: dict[str, tuple[Skill, int]],
    rng: random.Random,
) -> None:
    rows = []
    for index, workshop in enumerate(workshops):
        main = mains[index % len(mains)]
        rows.append(_skill_row(tenant, workshop, skills[main][0], rng.randint(3, 5)))
        if rng.random() < 0.35:
            other = rng.choice([code for code in skills if code != main])
            rows.append(
                _skill_row(tenant, workshop, skills[other][0], rng.randint(1, 3))
            )
    WorkshopSkill.objects.bulk_create(rows)


def _skill_row(
    tenant: Tenant, workshop: Workshop, skill: Skill, level: int
) -> WorkshopSkill:
    return WorkshopSkill(tenant=tenant, workshop=workshop, skill=skill, level=level)


def _women_first(count: int, women: int, rng: random.Random) -> list[str]:
    men = count - women
    found = [Gender.FEMALE.value] * women + [Gender.MALE.value] * men
    rng.shuffle(found)
    return found


def _name(country: str, gender: str, rng: random.Random) -> tuple[str, str]:
    """An invented first and family name of the country."""
    women, men, families = NAMES[country]
    first = rng.choice(women if gender == Gender.FEMALE else men)
    return first, rng.choice(families)


def _people(
    tenant: Tenant,
    workshops: list[Workshop],
    lead_genders: list[str],
    size: Size,
    rng: random.Random,
    today: date,
) -> None:
    """Everybody, in one bulk insert; a lead's name is the workshop's family name."""
    rest_women = size.women - size.women_leads - size.women_part_time
    crowd = _women_first(size.full_time + size.outsourced, rest_women, rng)
    plan = [(Engagement.LEAD, gender) for gender in lead_genders]
    plan += [(Engagement.FULL_TIME, g) for g in crowd[: size.full_time]]
    plan += [
        (Engagement.PART_TIME, g)
        for g in _women_first(size.part_time, size.women_part_time, rng)
    ]
    plan += [(Engagement.OUTSOURCED, g) for g in crowd[size.full_time :]]
    at_work = len(plan)
    plan += [
        (rng.choice((Engagement.PART_TIME, Engagement.OUTSOURCED)), gender)
        for gender in _women_first(size.left, size.left // 4, rng)
    ]
    rows = []
    for index, (engagement, gender) in enumerate(plan):
        is_lead = engagement == Engagement.LEAD
        workshop = workshops[index] if is_lead else rng.choice(workshops)
        joined = (
            workshop.joined_on
            if is_lead
            else today - timedelta(days=rng.randint(200, 1_800))
        )
        first, family = _name(tenant.country, gender, rng)
        if is_lead:
            family = workshop.name.split()[0]
        gone = index >= at_work
        rows.append(
            Artisan(
                tenant=tenant,
                workshop=workshop,
                code=f"A-{index + 1:04d}",
                name=f"{first} {family}",
                gender=gender,
                engagement=engagement,
                born_year=joined.year - rng.randint(19, 55),
                phone=workshop.phone if is_lead else "",
                joined_on=joined,
                left_on=today - timedelta(days=rng.randint(10, 190)) if gone else None,
            )
        )
    Artisan.objects.bulk_create(rows, batch_size=1_000)
