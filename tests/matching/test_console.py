"""The plan pages: who may what, what they show, and what they cost."""

import pytest
from django.test import Client

from matching.console.cards import planning_waits
from matching.enums import PlanState
from matching.models import Plan
from matching.services import release_plan
from orders.models import Job
from orders.services.jobs import decline_job, offer_job
from tests.builders import SYSTEM, Network, build_order, build_workshop
from tests.matching.helpers import made_plan, pendants, write_history
from vrp.accounts.enums import Role
from vrp.events import outbox
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def planner(signed_in) -> Client:
    return signed_in(Role.PLANNER)


@pytest.fixture
def plan(network: Network) -> Plan:
    write_history(network, network.horn[0], 6)
    return made_plan(pendants(build_order(network, 250)))


def test_from_an_order_to_offers(planner: Client, network: Network):
    order = build_order(network, 250)
    answer = planner.post(
        f"/ops/orders/{order.pk}/plan/",
        {"fairness": "0.25", "min_lot": "30", "max_lot": "100"},
    )
    plan = Plan.objects.get()
    assert answer["Location"] == f"/ops/plans/{plan.pk}/"
    assert str(plan.fairness) == "0.25"
    assert str(plan.made_by) == "planner-user"
    page = planner.get(answer["Location"]).content.decode()
    assert f'data-refresh-url="/ops/plans/{plan.pk}/progress/"' in page
    fragment = planner.get(f"/ops/plans/{plan.pk}/progress/")
    assert b"Waiting for a worker" in fragment.content
    assert "X-Refresh-Done" not in fragment
    assert outbox.run("plan", plan.pk)
    assert planner.get(f"/ops/plans/{plan.pk}/progress/")["X-Refresh-Done"] == "page"
    page = planner.get(f"/ops/plans/{plan.pk}/").content.decode()
    assert "Release: offer" in page
    assert f"{plan.proposals.count()} SMS go out" in page
    short = sum(row.short for row in plan.rows.all())
    assert short > 1
    assert f"{short} pieces stay short" in page
    assert "Yes, release it" in page
    assert "Does not hold the skill: <b>" in page
    assert "passed over, each with its reason" in page
    for _ in range(2):
        planner.post(f"/ops/plans/{plan.pk}/release/")
    assert Job.objects.count() == plan.proposals.count()
    page = planner.get(f"/ops/plans/{plan.pk}/").content.decode()
    assert "Released by planner-user" in page
    assert f"/ops/jobs/{Job.objects.first().pk}/" in page


def test_defaults_come_from_the_tenant(planner: Client, network: Network):
    order = build_order(network, 100)
    planner.post(f"/ops/orders/{order.pk}/plan/")
    plan = Plan.objects.get()
    tenant = network.tenant
    assert (plan.min_lot, plan.max_lot) == (tenant.min_lot, tenant.max_lot)
    assert float(plan.fairness) == float(tenant.fairness)
    assert plan.rows.count() == 2


@pytest.mark.parametrize(
    "bad",
    [
        {"fairness": "2"},
        {"fairness": "lots"},
        {"min_lot": "-1"},
        {"min_lot": "200", "max_lot": "100"},
        {"due_on": "2001-01-01"},
        {"due_on": "soon"},
        {"max_lot": "9" * 30},
    ],
)
def test_bad_rules_show_the_form_again(planner: Client, network: Network, bad):
    order = build_order(network, 100)
    answer = planner.post(f"/ops/orders/{order.pk}/plan/", bad)
    assert answer.status_code == 422
    assert b"errorlist" in answer.content
    assert not Plan.objects.exists()


def test_what_came_back_is_offered_to_others_with_one_click(
    planner: Client, network: Network
):
    order = build_order(network, 100)
    work_order = pendants(order)
    job = offer_job(
        work_order=work_order, workshop=network.horn[0], quantity=100, actor=SYSTEM
    )
    decline_job(job=job, reason="family", actor=SYSTEM)
    assert b"Find others" in planner.get("/ops/plans/").content
    planner.post(f"/ops/orders/{order.pk}/reoffer/")
    plan = Plan.objects.get()
    outbox.run("plan", plan.pk)
    assert not plan.proposals.filter(workshop=network.horn[0]).exists()
    assert plan.proposals.filter(work_order=work_order).exists()


def test_editing_on_the_page(planner: Client, network: Network, plan: Plan):
    one, two, _ = plan.proposals.order_by("-quantity")
    url = f"/ops/plans/{plan.pk}/edit/"
    total = one.quantity + two.quantity
    data = {
        "work_order": one.work_order_id,
        f"quantity_{one.workshop_id}": total - 60,
        f"quantity_{two.workshop_id}": 60,
    }
    assert planner.post(url, data).status_code == 302
    assert plan.proposals.get(pk=two.pk).quantity == 60
    data[f"quantity_{two.workshop_id}"] = 10
    refused = planner.post(url, data)
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "below the smallest lot" in page
    assert 'value="10"' in page
    assert plan.proposals.get(pk=two.pk).quantity == 60
    data["override_reason"] = "she asked for few"
    planner.post(url, data)
    assert plan.proposals.get(pk=two.pk).override_reason == "she asked for few"


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({"quantity_x": "5"}, 422),
        ({"quantity_1": "many"}, 422),
        ({"quantity_999999": "40"}, 422),
        ({"quantity_1": "-4"}, 422),
        ({"work_order": "999999"}, 404),
        ({"work_order": "x"}, 404),
    ],
)
def test_bad_quantities_change_nothing(planner: Client, plan: Plan, extra, status):
    before = list(plan.proposals.values_list("workshop", "quantity"))
    data = {"work_order": plan.rows.get().work_order_id} | extra
    answer = planner.post(f"/ops/plans/{plan.pk}/edit/", data)
    assert answer.status_code == status
    assert list(plan.proposals.values_list("workshop", "quantity")) == before


def test_an_outdated_plan_says_so(planner: Client, network: Network, plan: Plan):
    work_order = plan.rows.get().work_order
    release_plan(plan=made_plan(work_order, seed=2), actor=SYSTEM)
    answer = planner.post(f"/ops/plans/{plan.pk}/release/", follow=True)
    assert "only 0 are still open" in answer.content.decode()


def test_an_auditor_sees_and_changes_nothing(signed_in, network: Network, plan: Plan):
    auditor = signed_in(Role.AUDITOR)
    order = plan.rows.get().work_order.line.order
    page = auditor.get(f"/ops/plans/{plan.pk}/").content.decode()
    assert "<input class" not in page
    assert "Release: offer" not in page
    assert "Discard" not in page
    proposal = plan.proposals.first()
    work_order = plan.rows.get().work_order_id
    for url in (
        "/ops/plans/",
        f"/ops/plans/{plan.pk}/why/{proposal.pk}/",
        f"/ops/plans/{plan.pk}/passed-over/{work_order}/",
        f"/ops/plans/{plan.pk}/passed-over/{work_order}/?obstacle=skill",
    ):
        assert auditor.get(url).status_code == 200
    for url in (
        f"/ops/plans/{plan.pk}/release/",
        f"/ops/plans/{plan.pk}/discard/",
        f"/ops/plans/{plan.pk}/edit/",
        f"/ops/orders/{order.pk}/plan/",
        f"/ops/orders/{order.pk}/reoffer/",
    ):
        assert auditor.post(url).status_code == 403
    plan.refresh_from_db()
    assert plan.state == PlanState.READY
    assert Plan.objects.count() == 1


def test_another_tenant_finds_nothing(
    planner: Client, other_tenant: Tenant, plan: Plan
):
    with tenant_scope(other_tenant):
        theirs = Plan.objects.create(
            tenant=other_tenant, number=1, min_lot=30, max_lot=100, fairness=0
        )
    for path in ("", "progress/"):
        assert planner.get(f"/ops/plans/{theirs.pk}/{path}").status_code == 404
    for path in ("edit", "release", "discard"):
        assert planner.post(f"/ops/plans/{theirs.pk}/{path}/").status_code == 404


def test_today_says_what_waits(rf, network: Network):
    request = rf.get("/ops/")
    order = build_order(network, 250)
    counts = [card.count for card in planning_waits(request)]
    assert counts == [0, 2, 0]
    plan = made_plan(pendants(order))
    cards = planning_waits(request)
    assert [card.count for card in cards] == [1, 1, 0]
    assert "250 pieces" in cards[1].detail
    job = release_plan(plan=plan, actor=SYSTEM)[0]
    decline_job(job=job, reason="busy", actor=SYSTEM)
    cards = planning_waits(request)
    assert [card.count for card in cards] == [0, 2, 1]
    assert cards[2].detail.startswith("1 declined, 0 not answered")


def queries(client: Client, url: str, counter) -> int:
    client.get(url)
    with counter() as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_pages_cost_the_same_for_one_and_for_many(
    planner: Client, network: Network, plan: Plan, django_assert_max_num_queries
):
    def counter():
        return django_assert_max_num_queries(30)

    before = queries(planner, "/ops/plans/", counter)
    small = queries(planner, f"/ops/plans/{plan.pk}/", counter)
    for number in range(60, 72):
        build_workshop(network.tenant, network.area, number, network.pendant.skill)
    many = made_plan(
        pendants(build_order(network, 900)), pendants(build_order(network, 300))
    )
    build_order(network, 40)
    assert many.proposals.count() > 8
    assert queries(planner, "/ops/plans/", counter) <= before
    assert queries(planner, f"/ops/plans/{many.pk}/", counter) <= small


def test_long_lists_come_in_pages(planner: Client, network: Network):
    work_order = pendants(build_order(network, 100))
    Plan.objects.bulk_create(
        Plan(
            tenant=network.tenant,
            number=number,
            min_lot=30,
            max_lot=100,
            fairness=0,
            state=PlanState.DISCARDED,
        )
        for number in range(1, 61)
    )
    assert work_order.open_quantity
    first = planner.get("/ops/plans/?state=away").content.decode()
    assert "Plan 60" in first
    assert "Plan 10<" not in first
    assert 'rel="next"' in first
    assert b"Plan 7<" in planner.get("/ops/plans/?q=7").content
