"""The last half year as the system itself would have recorded it.

Shipped orders with their jobs, deliveries, graded pieces, ledger entries and payments,
written in bulk with the times at which they would have happened. It obeys the same
constraints as live work; nothing here is sent to anybody.
"""

import random
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

from artisans.models import Workshop
from matching.enums import Answer
from matching.models import JobRecord
from orders.enums import (
    DeliveryState,
    JobState,
    LineStage,
    OrderState,
    WorkOrderState,
)
from orders.models import (
    Component,
    Delivery,
    DeliveryLine,
    Job,
    Order,
    OrderLine,
    Product,
    Shipment,
    WorkOrder,
)
from orders.numbers import po_key
from qc.enums import BatchKind, BatchState, Grade, TicketState
from qc.models import Batch, Defect, Inspection, Item, ItemGrade, ReworkTicket
from vrp.accounts.models import User
from vrp.demo.catalogue import Catalogue
from vrp.demo.network import DemoNetwork
from vrp.demo.paid import pay_monthly
from vrp.demo.story import Past
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant
from vrp.tenancy.numbers import next_number

# Product, quantity: one order about every eighteen days.
ORDERS = [
    ("HPN-01", 240), ("BCF-02", 180), ("HRG-04", 150), ("HPN-01", 300),
    ("BCF-02", 120), ("HRG-04", 200), ("HPN-01", 180), ("BCF-02", 240),
    ("HRG-04", 120), ("HPN-01", 150),
]  # fmt: skip
LOT = 60


def build_past(
    tenant: Tenant,
    network: DemoNetwork,
    made: Catalogue,
    rng: random.Random,
    today: datetime,
) -> None:
    """Write the shipped orders and the monthly payments of what they earned."""
    past = Past(
        tenant=tenant,
        rng=rng,
        staff={name: _person(name) for name in ("grace", "mary", "daniel")},
        makers=_makers(made, network),
        truth=network.truth,
        defects=list(Defect.objects.filter(defect_class="quality").order_by("code")),
    )
    buyers = [made.buyers["NRD"], made.buyers["ANT"]]
    for index, (sku, quantity) in enumerate(ORDERS):
        placed = today - timedelta(days=205 - 17 * index, hours=rng.randint(1, 6))
        buyer = buyers[index % 2]
        order = Order.objects.create(
            tenant=tenant,
            number=next_number(tenant, "order"),
            buyer=buyer,
            po_number=f"{buyer.code}-44{index:02d}",
            po_key=po_key(f"{buyer.code}-44{index:02d}"),
            currency=buyer.currency,
            ship_by=(placed + timedelta(days=30)).date(),
            state=OrderState.SHIPPED,
            placed_at=placed,
            shipped_at=placed + timedelta(days=rng.randint(25, 31)),
        )
        _order(past, order, made.products[sku], quantity)
    pay_monthly(past)
    Event.objects.bulk_create(
        sorted(past.events, key=lambda event: event.at), batch_size=1_000
    )


def _person(name: str) -> User:
    return User.objects.get(username=name)


def _makers(made: Catalogue, network: DemoNetwork) -> dict[int, list[Workshop]]:
    found: dict[int, list[Workshop]] = defaultdict(list)
    shops = Workshop.objects.prefetch_related("skills").order_by("code")
    for component in made.components.values():
        for shop in shops:
            held = {row.skill_id: row.level for row in shop.skills.all()}
            if held.get(component.skill_id or 0, 0) >= component.min_level:
                found[component.pk].append(shop)
    return found


def _order(past: Past, order: Order, product: Product, quantity: int) -> None:
    line = OrderLine.objects.create(
        tenant=past.tenant,
        order=order,
        number=1,
        product=product,
        quantity=quantity,
        unit_price_minor=product.price_minor,
        stage=LineStage.SHIPPED,
    )
    past.note("order.placed", order, order.placed_at, Actor.buyer(order.buyer))
    for row in product.bom.select_related("component"):
        if row.component.kind == "made":
            _work_order(past, line, row.component, quantity * row.quantity)
    shipped_at = order.shipped_at or order.placed_at
    Shipment.objects.create(
        tenant=past.tenant,
        number=next_number(past.tenant, "shipment"),
        order=order,
        carrier="DHL",
        tracking=f"JD0{past.rng.randint(10**8, 10**9)}",
        cartons=max(1, quantity // 120),
        shipped_at=shipped_at,
    )
    past.note("order.shipped", order, shipped_at, Actor.user(past.staff["grace"]))


def _work_order(past: Past, line: OrderLine, part: Component, quantity: int) -> None:
    placed = line.order.placed_at
    work_order = WorkOrder.objects.create(
        tenant=past.tenant,
        line=line,
        component=part,
        quantity=quantity,
        due_on=(placed + timedelta(days=16)).date(),
        state=WorkOrderState.DONE,
        placed=quantity,
        accepted=quantity,
        good=quantity,
        created_at=placed,
    )
    lots = [LOT] * (quantity // LOT) + ([quantity % LOT] if quantity % LOT else [])
    shops = past.rng.sample(past.makers[part.pk], len(lots))
    for shop, lot in zip(shops, lots, strict=True):
        _job(past, work_order, part, shop, lot)


def _job(
    past: Past, work_order: WorkOrder, part: Component, shop: Workshop, lot: int
) -> None:
    rng, truth = past.rng, past.truth[shop.code]
    offered = work_order.created_at + timedelta(hours=rng.randint(3, 30))
    answered = offered + timedelta(hours=rng.expovariate(1 / 4))
    late = rng.random() > truth.punctuality
    days = rng.randint(15, 17) if late else rng.randint(8, 13)
    delivered = (answered + timedelta(days=days)).replace(hour=8)
    job = Job.objects.create(
        tenant=past.tenant,
        number=next_number(past.tenant, "job"),
        work_order=work_order,
        workshop=shop,
        quantity=lot,
        offered_quantity=lot,
        piece_rate_minor=part.piece_rate_minor,
        currency=past.tenant.currency,
        due_on=work_order.due_on,
        state=JobState.DONE,
        offered_at=offered,
        expires_at=offered + timedelta(hours=past.tenant.offer_hours),
        answered_at=answered,
        made=lot,
        delivered=lot,
        good=lot,
        delivered_at=delivered,
        done_at=delivered + timedelta(days=5),
    )
    artisan = Actor.artisan(shop)
    past.note("job.offered", job, offered, Actor.system("demo"), quantity=lot)
    past.note("job.accepted", job, answered, artisan, quantity=lot, offered=lot)
    first = _delivery(past, job, delivered)
    _record(past, job, first)


def _delivery(past: Past, job: Job, at: datetime) -> Counter[str]:
    """The goods come in and are graded; what needs mending returns and passes."""
    delivery = Delivery.objects.create(
        tenant=past.tenant,
        number=next_number(past.tenant, "delivery"),
        workshop=job.workshop,
        booked_for=at.date(),
        state=DeliveryState.RECEIVED,
        booked_at=at - timedelta(days=1),
        received_at=at,
    )
    line = DeliveryLine.objects.create(
        tenant=past.tenant,
        delivery=delivery,
        job=job,
        declared=job.quantity,
        counted=job.quantity,
    )
    quality = past.truth[job.workshop.code].quality
    verdicts = [_verdict(past.rng, quality) for _ in range(job.quantity)]
    batch = _batch(past, job, at, job.quantity, delivery_line=line)
    items = Item.objects.bulk_create(
        Item(
            tenant=past.tenant,
            serial=f"{job.work_order.component.code}-{batch.number}-{number:03d}",
            job=job,
            batch=batch,
            grade=grade,
            created_at=at,
        )
        for number, grade in enumerate(verdicts, start=1)
    )
    inspection = _inspect(past, batch, items, at + timedelta(hours=4))
    returned = [item for item in items if item.grade == Grade.REWORK]
    if returned:
        _rework(past, job, inspection, returned, at)
    return Counter(verdicts)


def _verdict(rng: random.Random, quality: float) -> str:
    if rng.random() > quality:
        return Grade.REWORK
    return rng.choices((Grade.AA, Grade.A, Grade.B), (62, 34, 4))[0]


def _batch(past: Past, job: Job, at: datetime, counted: int, **more: Any) -> Batch:
    return Batch.objects.create(
        tenant=past.tenant,
        number=next_number(past.tenant, "batch"),
        job=job,
        counted=counted,
        state=BatchState.GRADED,
        opened_at=at,
        graded_at=at + timedelta(hours=4),
        **more,
    )


def _inspect(past: Past, batch: Batch, items: list[Item], at: datetime) -> Inspection:
    counts = Counter(item.grade for item in items)
    grader = past.staff["grace"]
    inspection = Inspection.objects.create(
        tenant=past.tenant,
        batch=batch,
        grader=grader,
        at=at,
        **{grade.value: counts[grade] for grade in Grade},
    )
    ItemGrade.objects.bulk_create(
        ItemGrade(
            tenant=past.tenant,
            item=item,
            inspection=inspection,
            grade=item.grade,
            defect=past.rng.choice(past.defects)
            if item.grade in (Grade.REWORK, Grade.B)
            else None,
        )
        for item in items
    )
    past.note(
        "batch.graded",
        inspection,
        at,
        Actor.user(grader),
        **{grade.value: counts[grade] for grade in Grade},
        accepted=inspection.accepted,
        batch=batch.number,
        job=batch.job.number,
        kind=batch.kind,
    )
    if inspection.accepted:
        past.payables.append((inspection, batch.job))
    return inspection


def _rework(
    past: Past, job: Job, inspection: Inspection, items: list[Item], at: datetime
) -> None:
    back = at + timedelta(days=4)
    ticket = ReworkTicket.objects.create(
        tenant=past.tenant,
        job=job,
        inspection=inspection,
        quantity=len(items),
        due_on=(at + timedelta(days=5)).date(),
        state=TicketState.RETURNED,
        created_at=inspection.at,
        returned_at=back,
    )
    batch = _batch(past, job, back, len(items), ticket=ticket, kind=BatchKind.REWORK)
    for item in items:
        item.batch, item.grade = batch, Grade.A
    Item.objects.bulk_update(items, ["batch", "grade"])
    _inspect(past, batch, items, back + timedelta(hours=4))


def _record(past: Past, job: Job, first: Counter[str]) -> None:
    due = datetime.combine(job.due_on, job.offered_at.timetz()).replace(hour=15)
    JobRecord.objects.create(
        tenant=past.tenant,
        job=f"live:{job.number}",
        workshop=job.workshop,
        component=job.work_order.component,
        quantity=job.quantity,
        offered_at=job.offered_at,
        answered_at=job.answered_at,
        answer=Answer.ACCEPTED,
        due_at=due,
        delivered_at=job.delivered_at,
        units_aa=first[Grade.AA],
        units_a=first[Grade.A],
        units_b=first[Grade.B],
        units_rework=first[Grade.REWORK],
        units_scrap=0,
        unit_price_minor=job.piece_rate_minor,
        currency=job.currency,
    )
