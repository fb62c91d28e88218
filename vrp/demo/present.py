"""What is under way on the day the demo is loaded, made by the services that also make
live work: a batch waits to be graded, and a delivery comes tomorrow."""

from datetime import datetime, timedelta

from django.utils import timezone

from artisans.models import Workshop
from orders.models import Component, Job, Order, WorkOrder
from orders.services.deliveries import book_delivery, receive_delivery
from orders.services.jobs import accept_job, offer_job
from orders.services.placing import LineInput, place_order
from vrp.accounts.models import User
from vrp.demo.catalogue import Catalogue
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant

PO_NUMBER = "ANT-4410"
PIECES = 60
# Both workshops are in the region that the demo's field worker looks after.
REGION = "Nairobi"


def build_present(tenant: Tenant, made: Catalogue, today: datetime) -> Order:
    """Place an order for cuffs, share it between two workshops, and let the first one
    bring its pieces."""
    order = place_order(
        tenant=tenant,
        buyer=made.buyers["ANT"],
        po_number=PO_NUMBER,
        lines=[LineInput("BCF-02", PIECES)],
        ship_by=(today + timedelta(days=24)).date(),
        actor=Actor.buyer(made.buyers["ANT"]),
    )
    work_order = order.lines.get().work_orders.get()
    first, second = _makers(work_order.component)
    _bring(_agreed(work_order, first), days=0)
    _bring(_agreed(work_order, second), days=1)
    return order


def _makers(component: Component) -> tuple[Workshop, Workshop]:
    able = Workshop.objects.filter(
        skills__skill=component.skill,
        skills__level__gte=component.min_level,
        area__region=REGION,
    )
    first, second = able.order_by("code")[:2]
    return first, second


def _agreed(work_order: WorkOrder, workshop: Workshop) -> Job:
    job = offer_job(
        work_order=work_order,
        workshop=workshop,
        quantity=PIECES // 2,
        actor=Actor.user(User.objects.get(username="peter")),
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
        grace = Actor.user(User.objects.get(username="grace"))
        receive_delivery(delivery=delivery, counts=counts, actor=grace)
