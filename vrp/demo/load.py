"""Loading the demo tenants, and the facts that scripts read about them."""

import json
import os
import random
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from artisans.models import Workshop
from orders.enums import Scope
from orders.keys import new_key
from orders.models import ApiKey, Buyer
from orders.services.placing import LineInput, place_order
from payments.models import WalletCredential
from phone.models import Channel
from qc.services import ensure_default_defects
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.accounts.services import grant_role
from vrp.demo import catalogue as goods
from vrp.demo.history import build_records
from vrp.demo.network import ETHIOPIAN, KENYAN, build_network
from vrp.demo.past import build_past
from vrp.demo.people import ETHIOPIA, KENYA
from vrp.demo.present import build_present
from vrp.events.services import Actor
from vrp.secrets import seal_text
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

PASSWORD = "karibu-soko"  # noqa: S105  (a demo on loopback, printed by bin/up)
DEMO = Actor.system("demo")
# role key in demo.json: (user name, full name, tenant, roles)
PEOPLE = {
    "admin": ("amina", "Amina Yusuf", "soko-demo", [Role.ADMIN]),
    "planner": ("peter", "Peter Kamau", "soko-demo", [Role.PLANNER]),
    "qc": ("grace", "Grace Achieng", "soko-demo", [Role.QC]),
    "field": ("joseph", "Joseph Mutua", "soko-demo", [Role.FIELD]),
    "finance_maker": ("mary", "Mary Wambui", "soko-demo", [Role.FINANCE_MAKER]),
    "finance_checker": ("daniel", "Daniel Kiprop", "soko-demo", [Role.FINANCE_CHECKER]),
    "auditor": ("ruth", "Ruth Nekesa", "soko-demo", [Role.AUDITOR]),
    "addis_admin": ("hana", "Hana Bekele", "addis-leather", [Role.ADMIN, Role.PLANNER]),
}


@transaction.atomic
def load_demo() -> dict[str, Any]:
    """Make both tenants with everything in them; returns each buyer's API key by tenant.

    All or nothing: an aborted load leaves an empty system behind, to be loaded again.
    """
    keys: dict[str, Any] = {}
    _people()
    today = timezone.now().replace(microsecond=0)
    for build in (_soko, _addis):
        rng = random.Random(2017)  # noqa: S311  (a story, not a secret)
        tenant = build(rng, today)
        with tenant_scope(tenant):
            keys[tenant.slug] = {
                buyer.code: _api_key(buyer) for buyer in Buyer.objects.order_by("code")
            }
    return keys


def _soko(rng: random.Random, today: Any) -> Tenant:
    tenant = Tenant.objects.create(
        slug="soko-demo", name="Soko (demo)", currency="KES", country="KE"
    )
    with tenant_scope(tenant):
        _roles(tenant)
        made = goods.build_catalogue(
            tenant,
            goods.KENYAN_SKILLS,
            goods.KENYAN_PARTS,
            goods.KENYAN_PRODUCTS,
            goods.KENYAN_ASSEMBLIES,
            {"CH-50": 800, "CL-01": 500},
            {
                "NRD": "Nordstrom (demo)",
                "ANT": "Anthropologie (demo)",
                "WEB": "Web shop",
            },
        )
        network = build_network(
            tenant, KENYAN, KENYA, made.skills, rng, today.date(), "070000"
        )
        parts = [c for c in made.components.values() if c.kind == "made"]
        build_records(tenant, network, parts, 26, rng, today)
        _channels(tenant, "*384*55#", "22955", "600100")
        build_past(tenant, network, made, rng, today)
        build_present(tenant, made, today)
        place_order(
            tenant=tenant,
            buyer=made.buyers["NRD"],
            po_number="NRD-4500123",
            lines=[LineInput("HPN-01", 1_200)],
            ship_by=(today + timedelta(days=28)).date(),
            actor=DEMO,
        )
    return tenant


def _addis(rng: random.Random, today: Any) -> Tenant:
    tenant = Tenant.objects.create(
        slug="addis-leather",
        name="Addis Leather (demo)",
        currency="ETB",
        country="ET",
        timezone="Africa/Addis_Ababa",
    )
    with tenant_scope(tenant):
        _roles(tenant)
        made = goods.build_catalogue(
            tenant,
            goods.ETHIOPIAN_SKILLS,
            goods.ETHIOPIAN_PARTS,
            goods.ETHIOPIAN_PRODUCTS,
            {},
            {"BK-10": 400},
            {"MER": "Mercado Bags (demo)"},
        )
        network = build_network(
            tenant, ETHIOPIAN, ETHIOPIA, made.skills, rng, today.date(), "091100"
        )
        parts = [c for c in made.components.values() if c.kind == "made"]
        build_records(tenant, network, parts, 20, rng, today)
        _channels(tenant, "*805*12#", "8055", "600200")
        place_order(
            tenant=tenant,
            buyer=made.buyers["MER"],
            po_number="MER-77",
            lines=[LineInput("LTB-01", 60)],
            ship_by=(today + timedelta(days=35)).date(),
            actor=DEMO,
        )
    return tenant


def _channels(tenant: Tenant, ussd_code: str, sender: str, shortcode: str) -> None:
    """Accounts with the stand-ins: carrier and wallet. Hex, because the wallet refuses
    callback addresses that happen to contain certain words."""
    Channel.objects.create(
        tenant=tenant,
        username=tenant.slug,
        api_key=seal_text("standin-key"),
        sender=sender,
        ussd_code=ussd_code,
        route_secret=f"{tenant.pk}-{secrets.token_hex(20)}",
    )
    WalletCredential.objects.create(
        tenant=tenant,
        shortcode=shortcode,
        consumer_key=seal_text(f"{tenant.slug}-key"),
        consumer_secret=seal_text(f"{tenant.slug}-secret"),
        initiator_name="vrp",
        initiator_password=seal_text("standin-initiator"),
        route_secret=f"{tenant.pk}-{secrets.token_hex(20)}",
    )
    ensure_default_defects(tenant=tenant)


def _api_key(buyer: Buyer) -> str:
    key, lookup, digest = new_key(buyer.tenant)
    ApiKey.objects.create(
        tenant=buyer.tenant,
        buyer=buyer,
        name="demo",
        lookup=lookup,
        digest=digest,
        scopes=Scope.values,
    )
    return key


def _people() -> None:
    for username, name, _, _ in PEOPLE.values():
        first, last = name.split()
        user = User(username=username, first_name=first, last_name=last)
        user.set_password(PASSWORD)
        user.save()


def _roles(tenant: Tenant) -> None:
    """Give everybody of this tenant their roles. Soko's admin audits Addis as well:
    somebody to try the tenant switch with."""
    given = [
        (username, role)
        for username, _, slug, roles in PEOPLE.values()
        for role in roles
        if slug == tenant.slug
    ]
    if tenant.slug == "addis-leather":
        given.append(("amina", Role.AUDITOR))
    for username, role in given:
        grant_role(
            tenant=tenant,
            user=User.objects.get(username=username),
            role=role,
            regions=["Nairobi"] if role == Role.FIELD else None,
            actor=DEMO,
        )


def demo_facts(keys: dict[str, Any]) -> dict[str, Any]:
    """What scripts need to know, with today's addresses. ``keys`` as from the load."""
    url = settings.PUBLIC_URL
    return {
        "url": url,
        "ops_url": f"{url}/ops/",
        "standin_url": settings.STANDIN_URL,
        "users": {
            role: {"username": username, "password": PASSWORD, "tenant": slug}
            for role, (username, _, slug, _) in PEOPLE.items()
        },
        "tenants": [
            _tenant_facts(tenant, keys.get(tenant.slug, {}), url)
            for tenant in Tenant.objects.filter(slug__in=keys).order_by("-slug")
        ],
    }


def _tenant_facts(tenant: Tenant, keys: dict[str, str], url: str) -> dict[str, Any]:
    with tenant_scope(tenant):
        channel = Channel.objects.get()
        phone = f"{url}/phone/{channel.route_secret}"
        return {
            "slug": tenant.slug,
            "name": tenant.name,
            "ussd_code": channel.ussd_code,
            "sms_sender": channel.sender,
            "ussd_url": f"{phone}/ussd",
            "sms_inbound_url": f"{phone}/sms/inbound",
            "sms_delivery_url": f"{phone}/sms/delivery",
            "buyers": [
                {"name": buyer.name, "code": buyer.code, "api_key": keys[buyer.code]}
                for buyer in Buyer.objects.filter(code__in=keys).order_by("code")
            ],
            "workshops": [
                {
                    "code": row.code,
                    "name": row.name,
                    "phone": row.phone,
                    "language": row.language,
                }
                for row in Workshop.objects.filter(left_on__isnull=True)
            ],
        }


def write_facts(path: Path, facts: dict[str, Any]) -> None:
    """Write the file in one step: readers see the old one or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".demo-")
    with os.fdopen(handle, "w") as file:
        json.dump(facts, file, indent=1)
    os.chmod(name, 0o600)
    os.replace(name, path)


def keys_of(facts: dict[str, Any]) -> dict[str, Any]:
    """The API keys in a facts file: the database knows only their digests."""
    return {
        tenant["slug"]: {row["code"]: row["api_key"] for row in tenant["buyers"]}
        for tenant in facts["tenants"]
    }
