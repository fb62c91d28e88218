"""A small network for the trial: workshops that can all make what is ordered.

Run inside the system's own environment: ``python -m bench.faults.network --out FILE``.
The file is the ``demo.json`` that stand-ins and drivers read.
"""

import argparse
from datetime import timedelta
from pathlib import Path

import django

WORKSHOPS = 24
MIN_LOT, MAX_LOT = 5, 10


def build() -> dict[str, dict[str, str]]:
    """Make tenant, people, goods and workshops; returns the API keys by tenant."""
    from django.db import transaction
    from django.utils import timezone

    from orders.models import Buyer
    from vrp.demo import catalogue as goods
    from vrp.demo import load
    from vrp.tenancy.models import Tenant
    from vrp.tenancy.scope import tenant_scope

    with transaction.atomic():
        for username, name, _, _ in load.PEOPLE.values():
            _person(username, name)
        tenant = Tenant.objects.create(
            slug="soko-demo",
            name="Soko (trial)",
            min_lot=MIN_LOT,
            max_lot=MAX_LOT,
            white_label_minimum=1,
        )
        with tenant_scope(tenant):
            load._roles(tenant)
            made = goods.build_catalogue(
                tenant,
                goods.KENYAN_SKILLS,
                goods.KENYAN_PARTS,
                goods.KENYAN_PRODUCTS,
                goods.KENYAN_ASSEMBLIES,
                {"CH-50": 1_000_000, "CL-01": 1_000},
                {"NRD": "Nordstrom (trial)"},
            )
            load._channels(tenant, "*384*55#", "22955", "600100")
            joined = timezone.localdate() - timedelta(days=400)
            _workshops(tenant, [skill for skill, _ in made.skills.values()], joined)
            return {tenant.slug: {"NRD": load._api_key(Buyer.objects.get(code="NRD"))}}


def _person(username: str, name: str) -> None:
    from vrp.accounts.models import User
    from vrp.demo.load import PASSWORD

    first, last = name.split()
    user = User(username=username, first_name=first, last_name=last)
    user.set_password(PASSWORD)
    user.save()


def _workshops(tenant, skills, joined) -> None:  # type: ignore[no-untyped-def]
    from artisans.enums import Engagement
    from artisans.models import Area, Artisan, Workshop, WorkshopSkill

    area = Area.objects.create(
        tenant=tenant, code="kibera", name="Kibera", region="Nairobi"
    )
    for number in range(1, WORKSHOPS + 1):
        workshop = Workshop.objects.create(
            tenant=tenant,
            code=f"W-{number:03d}",
            name=f"Workshop {number}",
            area=area,
            phone=f"+25470000{number:04d}",
            language="sw" if number % 2 else "en",
            # Nobody is ever too busy: the trial is not about capacity.
            capacity_per_week=5_000,
            joined_on=joined,
        )
        Artisan.objects.create(
            tenant=tenant,
            workshop=workshop,
            code=f"A-{number:04d}",
            name=f"Lead {number}",
            engagement=Engagement.LEAD,
            phone=workshop.phone,
            joined_on=joined,
        )
        WorkshopSkill.objects.bulk_create(
            WorkshopSkill(tenant=tenant, workshop=workshop, skill=skill, level=4)
            for skill in skills
        )


def main() -> int:
    """Build, and write the facts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    django.setup()
    from vrp.demo.load import demo_facts, write_facts

    write_facts(out, demo_facts(build()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
