"""A small world with something of everything in it: what a copy must bring back.

Two tenants; an order, graded work, a paid, a failed, an unknown, an approved and a draft
payment, messages and webhooks that wait, sealed and unsealed events. Also run inside an
older checkout, to fill that checkout's database (see ``make_base.py``).
"""

from typing import Any

from django.db import transaction

from artisans.models import Workshop
from orders.models import WebhookEndpoint
from payments.models import Payout
from payments.services.runs import approve_run, make_run
from payments.services.settling import lock_payout, mark_failed, mark_paid, mark_unknown
from payments.services.wallet import set_credential
from phone.services.channels import set_channel
from tests.builders import (
    SYSTEM,
    Network,
    build_key,
    build_network,
    build_order,
    build_tenant,
    build_user,
)
from tests.payments.conftest import grade
from vrp.accounts.enums import Role
from vrp.events.seal import seal
from vrp.events.services import Actor
from vrp.secrets import seal_text
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

SLUGS = ("soko", "addis")


def fill() -> None:
    """Write it all, through the services."""
    for slug in SLUGS:
        tenant = build_tenant(slug)
        with tenant_scope(tenant):
            network = _network(tenant)
            maker = build_user(tenant, "maker", Role.FINANCE_MAKER)
            checker = build_user(tenant, "checker", Role.FINANCE_CHECKER)
            for role in (Role.ADMIN, Role.PLANNER, Role.QC, Role.AUDITOR):
                build_user(tenant, role.value, role)
            for outcome in ("paid", "failed", "unknown", "queued", "draft"):
                run = _run(network, maker, checker, outcome)
                with transaction.atomic():
                    _settle(run.payouts.get(), outcome)
                if outcome == "unknown":
                    while seal(tenant):
                        pass


def _network(tenant: Tenant) -> Network:
    network = build_network(tenant)
    build_key(network.buyer)
    set_channel(
        tenant=tenant,
        username=tenant.slug,
        api_key="a carrier key",
        sender="22955",
        ussd_code=f"*384*{tenant.pk}#",
        actor=SYSTEM,
    )
    set_credential(
        tenant=tenant,
        shortcode=f"6001{tenant.pk:02d}",
        consumer_key="key",
        consumer_secret="secret",
        initiator_name="payer",
        initiator_password="standin-initiator",
        actor=SYSTEM,
    )
    WebhookEndpoint.objects.create(
        tenant=tenant,
        buyer=network.buyer,
        url="https://buyer.example.com/hook",
        secret=seal_text("whsec_c2VjcmV0"),
    )
    build_order(network, 40, po="FIRST", stock=10)
    return network


def _run(network: Network, maker: Any, checker: Any, outcome: str) -> Any:
    Workshop.objects.update(capacity_per_week=800)
    grade(network, 40, good=36)
    run = make_run(tenant=network.tenant, made_by=maker, actor=Actor.user(maker))
    if outcome != "draft":
        approve_run(
            run=run,
            approver=checker,
            total_minor=run.total_minor,
            actor=Actor.user(checker),
        )
    return run


def _settle(payout: Payout, outcome: str) -> None:
    if outcome in ("queued", "draft"):
        return
    Payout.objects.filter(pk=payout.pk).update(state="sending")
    payout = lock_payout(payout.pk)
    if outcome == "paid":
        mark_paid(payout, receipt=f"TKT{payout.pk:07d}", actor=SYSTEM)
    elif outcome == "failed":
        mark_failed(payout, code="2040", words="no such customer", actor=SYSTEM)
    else:
        mark_unknown(payout, why="The answer was lost.", actor=SYSTEM)
