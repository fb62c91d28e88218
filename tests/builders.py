"""Builders of small, readable fixtures. All names are invented."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils import timezone

from artisans.models import Area, Artisan, Skill, Workshop, WorkshopSkill
from orders.enums import ComponentKind, Scope
from orders.keys import new_key
from orders.models import ApiKey, BomLine, Buyer, Component, Job, Order, Product
from orders.services.jobs import accept_job, offer_job
from orders.services.placing import LineInput, place_order
from orders.services.stock import receive_stock
from vrp.accounts.enums import Role
from vrp.accounts.models import Membership, User
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant

SYSTEM = Actor.system("test")


def build_tenant(slug: str) -> Tenant:
    """A tenant under Kenyan rules with the model's own defaults."""
    return Tenant.objects.create(slug=slug, name=slug.capitalize())


def build_user(tenant: Tenant, name: str, *roles: Role) -> User:
    """A user with these roles in the tenant; no usable password."""
    user = User.objects.create(username=f"{tenant.slug}-{name}", first_name=name)
    for role in roles:
        regions = ["Nairobi"] if role == Role.FIELD else []
        Membership.objects.create(user=user, tenant=tenant, role=role, regions=regions)
    return user


@dataclass
class Network:
    """What ``build_network`` made."""

    tenant: Tenant
    area: Area
    buyer: Buyer
    product: Product
    pendant: Component
    hook: Component
    chain: Component
    horn: list[Workshop] = field(default_factory=list)
    brass: list[Workshop] = field(default_factory=list)


def build_workshop(
    tenant: Tenant, area: Area, number: int, skill: Skill, *, language: str = "en"
) -> Workshop:
    """A workshop ``W-0nn`` with a lead and one skill at level 3."""
    joined = timezone.localdate() - timedelta(days=400)
    workshop = Workshop.objects.create(
        tenant=tenant,
        code=f"W-{number:03d}",
        name=f"Workshop {number}",
        area=area,
        phone=f"+2547000{tenant.pk % 100:02d}{number:03d}",
        language=language,
        capacity_per_week=80,
        joined_on=joined,
    )
    Artisan.objects.create(
        tenant=tenant,
        workshop=workshop,
        code=f"A-{number:04d}",
        name="Wanjiku Otieno",
        gender="female",
        engagement="lead",
        joined_on=joined,
    )
    WorkshopSkill.objects.create(tenant=tenant, workshop=workshop, skill=skill, level=3)
    return workshop


def build_network(tenant: Tenant) -> Network:
    """The necklace HPN-01 of horn pendant, brass hook and bought-in chain."""
    area = Area.objects.create(
        tenant=tenant, code="kibera", name="Kibera", region="Nairobi"
    )
    horn = Skill.objects.create(
        tenant=tenant,
        code="horn",
        name="Horn carving",
        technique="carving",
        material="horn",
    )
    brass = Skill.objects.create(
        tenant=tenant,
        code="brass",
        name="Brass casting",
        technique="casting",
        material="brass",
    )
    pendant = Component.objects.create(
        tenant=tenant,
        code="HP-01",
        name="Horn pendant",
        kind=ComponentKind.MADE,
        family="pendant",
        material="horn",
        skill=horn,
        piece_rate_minor=56_000,
        standard_minutes=35,
        tolerance="30 +/- 1 mm",
    )
    hook = Component.objects.create(
        tenant=tenant,
        code="BH-02",
        name="Brass hook",
        kind=ComponentKind.MADE,
        family="hook",
        material="brass",
        skill=brass,
        piece_rate_minor=35_000,
        standard_minutes=20,
    )
    chain = Component.objects.create(
        tenant=tenant, code="CH-50", name="Chain 50 cm", kind=ComponentKind.BOUGHT
    )
    product = Product.objects.create(
        tenant=tenant, sku="HPN-01", name="Horn Pendant Necklace", price_minor=3_000
    )
    for component in (pendant, hook, chain):
        BomLine.objects.create(
            tenant=tenant, product=product, component=component, quantity=1
        )
    buyer = Buyer.objects.create(tenant=tenant, code="NRD", name="Nordstrom demo")
    made = Network(tenant, area, buyer, product, pendant, hook, chain)
    made.horn = [build_workshop(tenant, area, n, horn) for n in (17, 18)]
    made.horn.append(build_workshop(tenant, area, 19, horn, language="sw"))
    made.brass = [build_workshop(tenant, area, n, brass) for n in (42, 43)]
    return made


def build_key(buyer: Buyer, *scopes: str) -> str:
    """A valid API key of the buyer; without scopes named it has every one."""
    key, lookup, digest = new_key(buyer.tenant)
    ApiKey.objects.create(
        tenant=buyer.tenant,
        buyer=buyer,
        name="test",
        lookup=lookup,
        digest=digest,
        scopes=list(scopes) or Scope.values,
    )
    return key


def build_order(
    network: Network, quantity: int = 100, *, po: str = "", stock: int | None = None
) -> Order:
    """An order for necklaces; ``stock`` chains are received first if given."""
    if stock:
        receive_stock(
            component=network.chain, quantity=stock, reason="test", actor=SYSTEM
        )
    return place_order(
        tenant=network.tenant,
        buyer=network.buyer,
        po_number=po or f"PO-{Order.objects.count() + 1}",
        lines=[LineInput("HPN-01", quantity)],
        ship_by=build_day(28),
        actor=SYSTEM,
    )


def build_day(days: int) -> date:
    """A day from today on."""
    return timezone.localdate() + timedelta(days=days)


def build_job(
    network: Network,
    quantity: int = 100,
    *,
    workshop: Workshop | None = None,
    accepted: bool = True,
) -> Job:
    """A pendant job of its own order, offered to (and accepted by) a horn workshop."""
    order = build_order(network, quantity)
    work_order = order.lines.get().work_orders.get(component=network.pendant)
    job = offer_job(
        work_order=work_order,
        workshop=workshop or network.horn[0],
        quantity=quantity,
        actor=SYSTEM,
    )
    return accept_job(job=job, actor=SYSTEM) if accepted else job
