"""Roles that come and go, and that a page's tenant is the tenant it is posted to.

What each role may do at each address is tried by ``tests/isolation``.
"""

from collections.abc import Callable

import pytest
from django.test import Client

from artisans.models import Workshop
from tests.builders import Network, build_user
from vrp.accounts.enums import Role
from vrp.accounts.models import Membership
from vrp.accounts.services import grant_role, revoke_role
from vrp.errors import Invalid
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db


def test_a_post_from_another_tenants_tab_changes_nothing(
    network: Network, other_tenant: Tenant, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(Role.PLANNER)
    shop = network.horn[0]
    answer = client.post(
        f"/ops/workshops/{shop.pk}/language/",
        {"_tenant": other_tenant.pk, "language": "sw"},
    )
    assert answer.status_code == 409
    assert "another brand" in answer.content.decode()
    assert Workshop.objects.get(pk=shop.pk).language == "en"


def test_somebody_without_a_role_sees_no_tenant(tenant: Tenant) -> None:
    client = Client()
    client.force_login(build_user(tenant, "nobody"))
    answer = client.get("/ops/orders/")
    assert answer.status_code == 403
    assert "belong to no brand" in answer.content.decode()


def test_a_role_taken_away_ends_with_the_next_request(
    network: Network, person: Callable, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(Role.PLANNER, name="amina")
    assert client.get("/ops/orders/").status_code == 200
    user = Membership.objects.get(tenant=network.tenant).user
    revoke_role(
        tenant=network.tenant, user=user, role=Role.PLANNER, actor=Actor.system("test")
    )
    assert client.get("/ops/orders/").status_code == 403


def test_a_field_worker_needs_a_region(tenant: Tenant, person: Callable) -> None:
    user = build_user(tenant, "joseph")
    with pytest.raises(Invalid) as refused:
        grant_role(
            tenant=tenant, user=user, role=Role.FIELD, actor=Actor.system("test")
        )
    assert refused.value.field == "regions"
    assert not Membership.objects.filter(user=user).exists()


@pytest.mark.parametrize("wanted", ["abc", "\u00b2", "1.5", "", "9" * 40, "1\x00"])
def test_a_tenant_that_is_no_number_is_no_tenant(
    network: Network, signed_in: Callable[..., Client], wanted: str
) -> None:
    client = signed_in(Role.PLANNER)
    assert client.post("/ops/tenant/", {"tenant": wanted}).status_code == 302


def test_one_lands_where_one_works_not_where_one_audits(
    network: Network, other_tenant: Tenant, person: Callable
) -> None:
    user = person(Role.PLANNER)
    Membership.objects.create(user=user, tenant=other_tenant, role=Role.AUDITOR)
    client = Client()
    client.force_login(user)
    assert other_tenant.name < network.tenant.name
    page = client.get("/ops/orders/")
    assert page.context["request"].tenant == network.tenant


def test_switching_only_to_ones_own_tenants(
    network: Network, other_tenant: Tenant, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(Role.PLANNER)
    client.post("/ops/tenant/", {"tenant": other_tenant.pk})
    page = client.get("/ops/orders/")
    assert page.context["request"].tenant == network.tenant
    with tenant_scope(other_tenant):
        assert Event.objects.count() == 0
