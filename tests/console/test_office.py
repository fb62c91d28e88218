"""The back office: who may open and change what, and that brands stay apart."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from artisans.models import Area, Artisan, Workshop, WorkshopSkill
from orders.models import Buyer, Component, Product, StockMove
from orders.services.stock import on_hand
from tests.builders import Network, build_network, build_user, build_workshop
from vrp.accounts.enums import Role
from vrp.accounts.models import Membership, User
from vrp.events.models import Event
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]
PAGES = [
    "artisans/area", "artisans/skill", "artisans/workshop", "artisans/artisan",
    "artisans/workshopskill", "artisans/capacityperiod", "orders/buyer",
    "orders/component", "orders/product", "orders/stockmove", "qc/defect",
    "accounts/membership",
]  # fmt: skip
SUPERUSERS_ONLY = [
    "accounts/user", "tenancy/tenant", "ops/heartbeat", "django_q/schedule",
    "django_q/success", "django_q/failure",
]  # fmt: skip


def url(page: str, rest: str = "") -> str:
    return f"/ops/office/{page}/{rest}"


@pytest.mark.parametrize("page", PAGES)
def test_every_list_and_form_opens_for_the_admin(
    network: Network, signed_in: SignedIn, page: str
) -> None:
    client = signed_in(Role.ADMIN)
    assert client.get(url(page)).status_code == 200
    assert client.get(url(page, "?q=W-0")).status_code == 200
    assert client.get(url(page, "add/")).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_no_filter_breaks_a_list(
    network: Network, signed_in: SignedIn, page: str
) -> None:
    client = signed_in(Role.ADMIN)
    client.raise_request_exception = False
    columns = ["id", *(f.name for f in _model_of(page)._meta.concrete_fields)]
    for column in columns:
        for odd in ("=%00", "__regex=(", "__in=%00", "__range=1", "__gt=1e400"):
            assert client.get(url(page, f"?{column}{odd}")).status_code < 500, odd


def _model_of(page: str) -> type[Model]:
    return apps.get_model(*page.split("/"))


@pytest.mark.parametrize("page", PAGES)
def test_the_auditor_reads_and_changes_nothing(
    network: Network, signed_in: SignedIn, page: str
) -> None:
    client = signed_in(Role.AUDITOR)
    assert client.get(url(page)).status_code == 200
    assert client.get(url(page, "add/")).status_code == 403
    assert client.post(url(page, "add/"), {"code": "x"}).status_code == 403


def test_the_auditor_sees_a_workshop_but_cannot_save_it(
    network: Network, signed_in: SignedIn
) -> None:
    client, workshop = signed_in(Role.AUDITOR), network.horn[0]
    there = url("artisans/workshop", f"{workshop.pk}/change/")
    assert client.get(there).status_code == 200
    assert client.post(there, workshop_form(workshop, name="X")).status_code == 403
    workshop.refresh_from_db()
    assert workshop.name != "X"


@pytest.mark.parametrize("page", [*PAGES, *SUPERUSERS_ONLY])
def test_others_do_not_come_in(
    network: Network, signed_in: SignedIn, page: str
) -> None:
    for role in (Role.QC, Role.FIELD, Role.FINANCE_MAKER):
        client = signed_in(role)
        answer = client.get(url(page), follow=True)
        assert answer.status_code == 403
        assert "does not open the back office" in answer.content.decode()


@pytest.mark.parametrize("page", SUPERUSERS_ONLY)
def test_only_superusers_see_what_is_no_tenants(
    network: Network, signed_in: SignedIn, page: str
) -> None:
    assert signed_in(Role.ADMIN).get(url(page)).status_code == 403
    root = build_user(network.tenant, "root", Role.ADMIN)
    User.objects.filter(pk=root.pk).update(is_superuser=True, is_staff=True)
    client = Client()
    client.force_login(root)
    assert client.get(url(page)).status_code == 200


def workshop_form(workshop: Workshop, **changed: Any) -> dict[str, Any]:
    held = workshop.skills.get()
    return {
        "code": workshop.code,
        "name": workshop.name,
        "area": workshop.area_id,
        "phone": workshop.phone,
        "language": workshop.language,
        "segment": workshop.segment,
        "capacity_per_week": workshop.capacity_per_week,
        "joined_on": workshop.joined_on.isoformat(),
        "left_on": "",
        "skills-TOTAL_FORMS": 1,
        "skills-INITIAL_FORMS": 1,
        "skills-0-id": held.pk,
        "skills-0-workshop": workshop.pk,
        "skills-0-skill": held.skill_id,
        "skills-0-level": held.level,
        **changed,
    }


def test_a_change_is_saved_and_recorded_by_field(
    network: Network, signed_in: SignedIn
) -> None:
    workshop, client = network.horn[0], signed_in(Role.PLANNER)
    there = url("artisans/workshop", f"{workshop.pk}/change/")
    given = workshop_form(workshop, phone="0712 345 678", **{"skills-0-level": 5})
    assert client.post(there, given).status_code == 302
    workshop.refresh_from_db()
    assert workshop.phone == "+254712345678"
    assert workshop.skills.get().level == 5
    event = Event.objects.get(name="office.changed")
    assert (event.subject_type, event.subject_id) == ("workshop", workshop.pk)
    assert event.data["fields"] == ["phone", "workshopskill"]
    history = client.get(url("artisans/workshop", f"{workshop.pk}/history/"))
    assert "office.changed: phone, workshopskill" in history.content.decode()


def test_saving_without_a_change_records_nothing(
    network: Network, signed_in: SignedIn
) -> None:
    workshop = network.horn[0]
    there = url("artisans/workshop", f"{workshop.pk}/change/")
    signed_in(Role.PLANNER).post(there, workshop_form(workshop))
    assert not Event.objects.filter(name="office.changed").exists()


def test_the_tenant_is_set_and_never_a_field(
    network: Network, signed_in: SignedIn, other_tenant: Tenant
) -> None:
    answer = signed_in(Role.ADMIN).post(
        url("artisans/area", "add/"),
        {"code": "huruma", "name": "Huruma", "region": "Nairobi",
         "tenant": other_tenant.pk},
    )  # fmt: skip
    assert answer.status_code == 302
    assert Area.objects.get(code="huruma").tenant == network.tenant
    assert Event.objects.get(name="office.added").data["thing"] == "area"


@pytest.mark.parametrize(
    ("page", "given", "words"),
    [
        ("artisans/area", {"code": "kibera", "name": "K", "region": "N"},
         "already exists"),
        ("artisans/artisan", {"code": "A-0017", "name": "X", "engagement": "full_time",
         "gender": "female", "joined_on": "2025-01-01", "workshop": "{horn}"},
         "already exists"),
        ("artisans/artisan", {"code": "A-1", "name": "X", "engagement": "lead",
         "gender": "female", "joined_on": "2025-01-01", "workshop": "{horn}"},
         "one_lead_per_workshop"),
        ("artisans/artisan", {"code": "A-1", "name": "X", "engagement": "full_time",
         "gender": "female", "joined_on": "2025-01-01", "workshop": "{horn}",
         "phone": "0202345678"}, "not a mobile number"),
        ("artisans/workshopskill", {"workshop": "{horn}", "skill": "{brass}",
         "level": "9"}, "skill_level_1_to_5"),
        ("orders/stockmove", {"component": "{pendant}", "quantity": "5",
         "reason": "x"}, "Only bought-in parts"),
        ("orders/stockmove", {"component": "{chain}", "quantity": "-5",
         "reason": "x"}, "Only 0 are in the store"),
        ("accounts/membership", {"username": "nobody", "role": "qc"},
         "invited under People"),
        ("accounts/membership", {"username": "soko-admin-user", "role": "field"},
         "needs a region"),
    ],
)  # fmt: skip
def test_bad_input_is_said_by_the_form(
    network: Network,
    signed_in: SignedIn,
    page: str,
    given: dict[str, str],
    words: str,
) -> None:
    ids = {
        "{horn}": network.horn[0].pk,
        "{brass}": network.brass[0].skills.get().skill_id,
        "{pendant}": network.pendant.pk,
        "{chain}": network.chain.pk,
    }
    given = {name: str(ids.get(value, value)) for name, value in given.items()}
    answer = signed_in(Role.ADMIN).post(url(page, "add/"), given)
    assert answer.status_code == 200
    assert words in answer.content.decode()


def test_stock_comes_in_by_its_service(network: Network, signed_in: SignedIn) -> None:
    signed_in(Role.PLANNER).post(
        url("orders/stockmove", "add/"),
        {"component": network.chain.pk, "quantity": 40, "reason": "Supplier"},
    )
    assert on_hand(network.chain) == 40
    assert StockMove.objects.count() == 1
    assert Event.objects.filter(name="stock.received").count() == 1


def test_a_product_with_its_bill_of_materials(
    network: Network, signed_in: SignedIn
) -> None:
    answer = signed_in(Role.PLANNER).post(
        url("orders/product", "add/"),
        {"sku": "HPN-02", "name": "Two pendants", "price_minor": 4000,
         "currency": "USD", "lead_days": 28, "bom-TOTAL_FORMS": 1,
         "bom-INITIAL_FORMS": 0, "bom-0-component": network.pendant.pk,
         "bom-0-quantity": 2},
    )  # fmt: skip
    assert answer.status_code == 302
    line = Product.objects.get(sku="HPN-02").bom.get()
    assert (line.component, line.quantity) == (network.pendant, 2)


@pytest.fixture
def neighbour(network: Network, other_tenant: Tenant) -> Network:
    with tenant_scope(other_tenant):
        made = build_network(other_tenant)
        Buyer.objects.filter(pk=made.buyer.pk).update(name="Neighbour's buyer")
        return made


def test_the_neighbours_rows_are_not_reachable(
    network: Network, neighbour: Network, signed_in: SignedIn
) -> None:
    client = signed_in(Role.ADMIN)
    theirs = neighbour.horn[0]
    there = url("artisans/workshop", f"{theirs.pk}/change/")
    assert client.get(there).status_code == 404
    assert client.post(there, workshop_form_of(theirs)).status_code == 404
    history = url("artisans/workshop", f"{theirs.pk}/history/")
    assert client.get(history).status_code == 404
    with tenant_scope(neighbour.tenant):
        theirs.refresh_from_db()
        assert theirs.name != "Taken"
    page = client.get(url("orders/buyer")).content.decode()
    assert "Neighbour" not in page


def workshop_form_of(workshop: Workshop) -> dict[str, Any]:
    with tenant_scope(workshop.tenant):
        return workshop_form(workshop, name="Taken")


def test_a_form_takes_no_parent_of_the_neighbour(
    network: Network, neighbour: Network, signed_in: SignedIn
) -> None:
    answer = signed_in(Role.ADMIN).post(
        url("artisans/artisan", "add/"),
        {"code": "A-77", "name": "X", "engagement": "full_time", "gender": "female",
         "joined_on": "2025-01-01", "workshop": neighbour.horn[0].pk},
    )  # fmt: skip
    assert answer.status_code == 200
    assert "not one of the available choices" in answer.content.decode()
    assert not Artisan.objects.filter(code="A-77").exists()


def test_suggestions_are_of_this_tenant(
    network: Network, neighbour: Network, signed_in: SignedIn
) -> None:
    answer = signed_in(Role.ADMIN).get(
        "/ops/office/autocomplete/?app_label=artisans&model_name=artisan"
        "&field_name=workshop&term=W-017"
    )
    found = [row["id"] for row in answer.json()["results"]]
    assert found == [str(network.horn[0].pk)]


@pytest.mark.parametrize("page", PAGES[:5])
def test_a_list_costs_the_same_for_any_number_of_rows(
    network: Network, signed_in: SignedIn, page: str
) -> None:
    client = signed_in(Role.ADMIN)
    client.get(url(page))
    with CaptureQueriesContext(connection) as few:
        client.get(url(page))
    skill = network.horn[0].skills.get().skill
    for number in range(60, 63):
        area = Area.objects.create(
            tenant=network.tenant, code=f"a{number}", name="A", region="R"
        )
        build_workshop(network.tenant, area, number, skill)
    with CaptureQueriesContext(connection) as many:
        client.get(url(page))
    assert len(many) == len(few)


def test_no_form_lists_all_workshops(network: Network, signed_in: SignedIn) -> None:
    page = signed_in(Role.ADMIN).get(url("artisans/artisan", "add/")).content.decode()
    assert "W-017" not in page
    assert WorkshopSkill.objects.exists()


def test_roles_are_given_and_taken(
    network: Network, signed_in: SignedIn, person: Callable[..., User]
) -> None:
    client, new = signed_in(Role.ADMIN), person(Role.QC, name="new")
    client.post(
        url("accounts/membership", "add/"),
        {"username": new.username, "role": "planner"},
    )
    given = Membership.objects.get(user=new, role="planner")
    assert given.tenant == network.tenant
    assert Event.objects.filter(name="member.role_granted").count() == 1
    answer = client.post(
        url("accounts/membership", f"{given.pk}/delete/"), {"post": "yes"}
    )
    assert answer.status_code == 302
    assert not Membership.objects.filter(pk=given.pk).exists()
    assert Event.objects.filter(name="member.role_revoked").count() == 1


def test_an_admin_keeps_the_own_role(network: Network, signed_in: SignedIn) -> None:
    client = signed_in(Role.ADMIN)
    own = Membership.objects.get(role="admin", tenant=network.tenant)
    answer = client.post(
        url("accounts/membership", f"{own.pk}/delete/"), {"post": "yes"}
    )
    assert answer.status_code == 403
    assert Membership.objects.filter(pk=own.pk).exists()


def test_a_planner_gives_no_roles(
    network: Network, signed_in: SignedIn, person: Callable[..., User]
) -> None:
    new = person(Role.QC, name="new")
    answer = signed_in(Role.PLANNER).post(
        url("accounts/membership", "add/"), {"username": new.username, "role": "admin"}
    )
    assert answer.status_code == 403
    assert not Membership.objects.filter(user=new, role="admin").exists()


def test_roles_of_another_brand_are_not_seen(
    network: Network, signed_in: SignedIn, other_tenant: Tenant
) -> None:
    theirs = build_user(other_tenant, "planner", Role.PLANNER)
    client = signed_in(Role.ADMIN)
    assert (
        theirs.username not in client.get(url("accounts/membership")).content.decode()
    )
    row = Membership.objects.get(user=theirs)
    there = url("accounts/membership", f"{row.pk}/delete/")
    client.post(there, {"post": "yes"})
    assert Membership.objects.filter(pk=row.pk).exists()


def test_nothing_is_deleted(network: Network, signed_in: SignedIn) -> None:
    client = signed_in(Role.ADMIN)
    for row in (network.horn[0], network.pendant, network.buyer, network.area):
        page = f"{row._meta.app_label}/{row._meta.model_name}"
        answer = client.post(url(page, f"{row.pk}/delete/"), {"post": "yes"})
        assert answer.status_code == 403
        assert type(row).objects.filter(pk=row.pk).exists()
    assert Component.objects.count() == 3


def test_every_master_data_page_is_tested() -> None:
    ours = {"artisans", "orders", "qc", "accounts", "tenancy", "ops", "matching",
            "payments", "phone", "imports", "events"}  # fmt: skip
    registered = {
        f"{model._meta.app_label}/{model._meta.model_name}"
        for model in admin.site._registry
        if model._meta.app_label in ours
    }
    assert registered <= {*PAGES, *SUPERUSERS_ONLY}
