"""What is under way on the day the demo is loaded, made by the services that also make
live work: what one workshop earned waits to be paid, the pieces of another wait to be
graded, and a third one comes tomorrow."""

from datetime import datetime, timedelta

from django.utils import timezone

from artisans.models import Workshop
from orders.models import Component, Job, Order, WorkOrder
from orders.services.deliveries import book_delivery, receive_delivery
from orders.services.jobs import accept_job, offer_job
from orders.services.placing import LineInput, place_order
from qc.enums import Grade
from qc.models import Batch
from qc.services import Verdict, grade_batch
from vrp.accounts.models import User
from vrp.demo.catalogue import Catalogue
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant

PO_NUMBER = "ANT-4410"
LOT = 30
# The workshops are in the region that the demo's field worker looks after.
REGION = "Nairobi"


def build_present(tenant: Tenant, made: Catalogue, today: datetime) -> Order:
    """Place an order for cuffs, share it between three workshops, let two of them bring
    their pieces, and grade those of the first."""
    order = place_order(
        tenant=tenant,
        buyer=made.buyers["ANT"],
        po_number=PO_NUMBER,
        lines=[LineInput("BCF-02", 3 * LOT)],
        ship_by=(today + timedelta(days=24)).date(),
        actor=Actor.buyer(made.buyers["ANT"]),
    )
    work_order = order.lines.get().work_orders.get()
    graded, brought, coming = (
        _agreed(work_order, workshop) for workshop in _makers(work_order.component)
    )
    _bring(graded, days=0)
    _grade(graded)
    _bring(brought, days=0)
    _bring(coming, days=1)
    return order


def _makers(component: Component) -> list[Workshop]:
    able = Workshop.objects.filter(
        skills__skill=component.skill,
        skills__level__gte=component.min_level,
        area__region=REGION,
    )
    return list(able.order_by("code")[:3])


def _agreed(work_order: WorkOrder, workshop: Workshop) -> Job:
    job = offer_job(
        work_order=work_order,
        workshop=workshop,
        quantity=LOT,
        actor=Actor.user(_person("peter")),
    )
    return accept_job(job=job, actor=Actor.artisan(workshop))


def _bring(job: Job, *, days: int) -> None:
    """Announce the pieces for a day; those of today are counted in at once."""
    delivery = book_delivery(
        workshop=job.workshop,
        pieces={job: job.quantity},
        booked_for=timezone.localdate() + timedelta(days=days),
        actor=Actor.artisan(job.workshop),
    )
    if days == 0:
        counts = {line.pk: line.declared for line in delivery.lines.all()}
        grace = Actor.user(_person("grace"))
        receive_delivery(delivery=delivery, counts=counts, actor=grace)


def _grade(job: Job) -> None:
    grace = _person("grace")
    grade_batch(
        batch=Batch.objects.get(job=job),
        verdicts=[Verdict(Grade.AA, 20), Verdict(Grade.A, LOT - 20)],
        grader=grace,
        actor=Actor.user(grace),
    )


def _person(name: str) -> User:
    return User.objects.get(username=name)
