"""What each role may do, and that a page's tenant is the tenant it is posted to."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from artisans.models import Workshop
from tests.builders import Network, build_user
from vrp.accounts.enums import GRANTS, Permission, Role
from vrp.accounts.models import Membership
from vrp.accounts.services import grant_role, revoke_role
from vrp.errors import Invalid
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
# Posts that change nothing of a tenant's, but at most one's own account.
HARMLESS = {
    "ops/sign-in/", "ops/sign-in/code/", "ops/sign-out/", "ops/tenant/",
    "ops/styleguide/", "ops/set-password/1/1/", "ops/account/", "ops/account/password/",
    "ops/account/confirm/", "ops/account/sign-out-everywhere/",
    "ops/account/second-factor/", "ops/account/second-factor/remove/",
    "ops/account/second-factor/replace/", "ops/account/second-factor/recovery/",
    "ops/office/password_change/",
}  # fmt: skip


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Addresses of all console routes, with 1 for every id; the admin has its own test."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from routes(pattern.url_patterns, path)
        elif path.startswith("ops/"):
            for kind in ("int", "str", "slug", "path", "uuid"):
                path = path.replace(f"<{kind}:", "<")
            while "<" in path:
                begin, _, rest = path.partition("<")
                path = begin + "1" + rest.partition(">")[2]
            yield path


CONSOLE = sorted(set(routes(get_resolver().url_patterns)) - HARMLESS)


def test_there_are_routes_to_walk() -> None:
    assert len(CONSOLE) > 30


@pytest.mark.parametrize("path", CONSOLE)
def test_an_auditor_can_post_nowhere(
    path: str, signed_in: Callable[..., Client], network: Network
) -> None:
    auditor = signed_in(Role.AUDITOR)
    before = Event.objects.count()
    answer = auditor.post(f"/{path}", {"_tenant": network.tenant.pk})
    assert answer.status_code in (403, 405), path
    assert Event.objects.count() == before


@pytest.mark.parametrize("path", CONSOLE)
def test_a_stranger_is_sent_to_the_door(path: str, db: None) -> None:
    answer = Client().get(f"/{path}")
    assert answer.status_code in (302, 405), path
    if answer.status_code == 302:
        assert answer.url.startswith("/ops/sign-in/")


def test_maker_and_checker_are_never_one_role() -> None:
    money = {Permission.MAKE_PAYOUTS, Permission.APPROVE_PAYOUTS}
    assert not any(money <= rights for rights in GRANTS.values())
    assert GRANTS[Role.AUDITOR] == frozenset()
    assert set(GRANTS) == set(Role)


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
