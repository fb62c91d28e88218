"""Two years of job outcomes, drawn from each workshop's hidden truth.

Demand follows the season: spring doubles, a steady summer, a peak in the last quarter
(facts A.2, figure 23); rejection is about 11 % (facts A46, 2017).
"""

import random
from datetime import UTC, datetime, time, timedelta

from artisans.models import Workshop
from matching.enums import Answer
from matching.models import JobRecord
from orders.models import Component
from vrp.demo.network import DemoNetwork, Truth
from vrp.tenancy.models import Tenant

DAYS = 730
NEWEST = 3
# Relative demand by month.
SEASON = (0.6, 0.7, 1.3, 1.4, 1.2, 0.9, 0.9, 1.0, 1.2, 1.7, 1.9, 1.2)


def build_records(
    tenant: Tenant,
    network: DemoNetwork,
    components: list[Component],
    per_workshop: float,
    rng: random.Random,
    today: datetime,
) -> int:
    """Write one record per past job; returns how many, none newer than three days."""
    made_by: dict[int, list[Component]] = {}
    for component in components:
        made_by.setdefault(component.skill_id or 0, []).append(component)
    rows: list[JobRecord] = []
    for workshop in network.workshops:
        options = [
            component
            for held in workshop.skills.all()
            for component in made_by.get(held.skill_id, [])
            if held.level >= component.min_level
        ]
        age = (today.date() - workshop.joined_on).days
        share = min(age, DAYS) / DAYS
        for _ in range(round(per_workshop * share * rng.uniform(0.3, 1.7))):
            if options:
                rows.append(
                    _record(
                        tenant, workshop, rng.choice(options),
                        network.truth[workshop.code], rng, today, min(age, DAYS),
                        len(rows),
                    )
                )  # fmt: skip
    JobRecord.objects.bulk_create(rows, batch_size=1_000)
    return len(rows)


def _offer_day(rng: random.Random, today: datetime, age: int) -> datetime:
    while True:
        day = today - timedelta(days=rng.randint(NEWEST, age))
        if rng.random() < SEASON[day.month - 1] / max(SEASON):
            at = time(rng.randint(8, 16), rng.randint(0, 59))
            return datetime.combine(day.date(), at, tzinfo=UTC)


def _record(
    tenant: Tenant,
    workshop: Workshop,
    component: Component,
    truth: Truth,
    rng: random.Random,
    today: datetime,
    age: int,
    number: int,
) -> JobRecord:
    offered = _offer_day(rng, today, age)
    quantity = rng.choice((30, 40, 50, 60, 80, 100, 120))
    due = offered + timedelta(days=rng.randint(12, 18))
    record = JobRecord(
        tenant=tenant,
        job=f"before:{number + 1}",
        workshop=workshop,
        component=component,
        quantity=quantity,
        offered_at=offered,
        due_at=due,
        unit_price_minor=component.piece_rate_minor,
        currency=tenant.currency,
    )
    if rng.random() > truth.answers:
        record.answer = Answer.SILENT
        return record
    record.answered_at = offered + timedelta(hours=rng.expovariate(1 / 5))
    record.answer = rng.choices(
        (Answer.ACCEPTED, Answer.PART, Answer.DECLINED), (84, 6, 10)
    )[0]
    if record.answer == Answer.DECLINED:
        return record
    if record.answer == Answer.PART:
        quantity = record.quantity = max(30, quantity // 2)
    late = rng.random() > truth.punctuality
    days = rng.expovariate(1 / 4) + 0.5 if late else -rng.uniform(0, 4)
    delivered = due + timedelta(days=days)
    if delivered < today:
        record.delivered_at = delivered
        _grades(record, quantity, truth, rng)
    return record


def _grades(record: JobRecord, quantity: int, truth: Truth, rng: random.Random) -> None:
    good = sum(rng.random() < truth.quality for _ in range(quantity))
    bad = quantity - good
    record.units_scrap = sum(rng.random() < 0.12 for _ in range(bad))
    record.units_rework = bad - record.units_scrap
    record.units_b = sum(rng.random() < 0.05 for _ in range(good))
    record.units_aa = sum(rng.random() < 0.6 for _ in range(good - record.units_b))
    record.units_a = good - record.units_b - record.units_aa
