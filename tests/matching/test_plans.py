"""Asking, computing, editing, releasing and discarding plans."""

from datetime import timedelta

import pytest
from django.utils import timezone

from artisans.models import CapacityPeriod, WorkshopSkill
from matching.enums import Obstacle, PlanState
from matching.models import Plan, Proposal
from matching.services import (
    OUTBOX,
    discard_plan,
    edit_proposal,
    release_plan,
    request_plan,
)
from orders.models import Job
from orders.services.jobs import decline_job, lapse_job, offer_job
from tests.builders import SYSTEM, Network, build_order, build_user, build_workshop
from tests.matching.helpers import made_plan, pendants, write_history
from vrp.accounts.enums import Role
from vrp.errors import Conflict, IllegalMove, Invalid
from vrp.events import outbox
from vrp.events.models import Event

pytestmark = pytest.mark.django_db


def placed(plan: Plan) -> dict[str, int]:
    rows = plan.proposals.values_list("workshop__code", "quantity")
    return dict(rows)


def test_a_plan_places_the_whole_need_within_the_lot_rules(network: Network):
    plan = made_plan(pendants(build_order(network, 250)))
    assert plan.state == PlanState.READY
    assert (plan.progress, plan.step) == (100, "Ready for review")
    assert sum(placed(plan).values()) == 250
    assert all(30 <= pieces <= 100 for pieces in placed(plan).values())
    assert plan.rows.get().short == 0
    assert plan.solver
    names = Event.objects.filter(subject_type="plan").values_list("name", flat=True)
    assert set(names) == {"plan.requested", "plan.ready"}


def test_the_better_workshops_get_the_work_and_the_reasons_say_why(network: Network):
    best, worst, new = network.horn
    write_history(network, best, 20, good=50)
    write_history(network, worst, 20, good=35, bad=15, late_days=4)
    plan = made_plan(pendants(build_order(network, 200)), fairness=0)
    assert set(placed(plan)) == {best.code, new.code}
    first = plan.proposals.get(workshop=best)
    assert first.reasons[0].endswith("1st of 3 that can make it.")
    assert "Timeliness" in first.reasons[1]
    assert "20 jobs due" in first.reasons[1]
    assert first.reasons[1].endswith("points.")
    assert set(first.dimensions) == {
        "quality",
        "timeliness",
        "responsiveness",
        "capacity",
        "availability",
    }
    stranger = plan.proposals.get(workshop=new)
    assert any(line.startswith("No history yet") for line in stranger.reasons)
    passed = plan.passed_over.get(workshop=worst)
    assert passed.obstacle == Obstacle.OUTSCORED
    assert passed.score < stranger.score < first.score


def test_reasons_are_ordered_by_how_much_they_moved_the_score(network: Network):
    best, worst, _ = network.horn
    write_history(network, best, 20)
    write_history(network, worst, 20, good=30, bad=20, late_days=3)
    plan = made_plan(pendants(build_order(network, 200)), fairness=0)
    for proposal in plan.proposals.all():
        moved = [
            float(line.rsplit(": ", 1)[1].split()[0])
            for line in proposal.reasons
            if line.endswith("points.")
        ]
        sizes = [abs(points) for points in moved]
        assert sizes == sorted(sizes, reverse=True)


def test_every_other_workshop_has_its_obstacle(network: Network):
    left, low, paused = network.horn
    left.left_on = timezone.localdate()
    left.save()
    WorkshopSkill.objects.filter(workshop=low).update(level=1)
    network.pendant.min_level = 2
    network.pendant.save()
    CapacityPeriod.objects.create(
        tenant=network.tenant,
        workshop=paused,
        starts_on=timezone.localdate(),
        ends_on=timezone.localdate() + timedelta(days=60),
        pieces_per_week=0,
        reason="planting",
    )
    plan = made_plan(pendants(build_order(network, 90)))
    why = {one.workshop_id: one for one in plan.passed_over.all()}
    assert why[left.pk].obstacle == Obstacle.LEFT
    assert why[low.pk].obstacle == Obstacle.LEVEL
    assert "Level 1" in why[low.pk].detail
    assert why[paused.pk].obstacle == Obstacle.PAUSED
    assert "planting" in why[paused.pk].detail
    assert {why[one.pk].obstacle for one in network.brass} == {Obstacle.SKILL}
    row = plan.rows.get()
    assert (row.short, row.eligible) == (90, 0)
    assert row.why_short.startswith("No workshop can take it")
    with pytest.raises(IllegalMove, match="proposes no job"):
        release_plan(plan=plan, actor=SYSTEM)


def test_promised_work_counts_against_free_capacity(network: Network):
    full = network.horn[0]
    busy = pendants(build_order(network, 240))
    offer_job(work_order=busy, workshop=full, quantity=230, actor=SYSTEM)
    order = build_order(network, 100)
    plan = made_plan(pendants(order))
    passed = plan.passed_over.get(workshop=full)
    assert (passed.obstacle, passed.free) == (Obstacle.MIN_LOT, 10)
    assert passed.detail == "Free for 10 pieces; the smallest lot is 30."
    again = made_plan(busy, min_lot=1)
    assert again.passed_over.get(workshop=full).obstacle == Obstacle.OPEN_JOB


def test_who_declined_or_kept_silent_is_not_asked_again(network: Network):
    work_order = pendants(build_order(network, 300))
    no, silent, free = network.horn
    for workshop in (no, silent):
        job = offer_job(
            work_order=work_order, workshop=workshop, quantity=100, actor=SYSTEM
        )
        if workshop == no:
            decline_job(job=job, reason="busy", actor=SYSTEM)
        else:
            lapse_job(job=job, actor=SYSTEM)
    plan = made_plan(work_order)
    assert placed(plan) == {free.code: 100}
    why = dict(plan.passed_over.values_list("workshop_id", "detail"))
    assert "too much work" in why[no.pk]
    assert "Did not answer" in why[silent.pk]
    assert plan.rows.get().short == 200
    assert "free for 100 pieces" in plan.rows.get().why_short


def test_a_rest_below_the_smallest_lot_carries_its_reason(network: Network):
    plan = made_plan(pendants(build_order(network, 20)))
    only = plan.proposals.get()
    assert only.quantity == 20
    assert only.override_reason.startswith("The last 20 pieces")
    (job,) = release_plan(plan=plan, actor=SYSTEM)
    assert Event.objects.get(name="job.offered", subject_id=job.pk).reason


def test_releasing_twice_offers_once(network: Network):
    work_order = pendants(build_order(network, 250))
    plan = made_plan(work_order)
    first = release_plan(plan=plan, actor=SYSTEM)
    second = release_plan(plan=plan, actor=SYSTEM)
    assert sorted(job.pk for job in first) == sorted(job.pk for job in second)
    assert Job.objects.count() == len(first) == plan.proposals.count()
    work_order.refresh_from_db()
    assert work_order.open_quantity == 0
    plan.refresh_from_db()
    assert (plan.state, plan.released_by) == (PlanState.RELEASED, "test")
    assert Event.objects.filter(name="plan.released").count() == 1
    assert not Proposal.objects.filter(plan=plan, job__isnull=True).exists()


def test_a_quantity_that_changed_since_is_named_and_nothing_is_offered(
    network: Network,
):
    work_order = pendants(build_order(network, 250))
    plan = made_plan(work_order)
    release_plan(plan=made_plan(work_order, seed=2), actor=SYSTEM)
    jobs = Job.objects.count()
    with pytest.raises(Conflict, match=r"HP-01: 250 pieces are proposed but only 0"):
        release_plan(plan=plan, actor=SYSTEM)
    assert Job.objects.count() == jobs
    plan.refresh_from_db()
    assert plan.state == PlanState.READY


def test_only_what_is_ready_can_be_released(network: Network):
    plan = request_plan(
        tenant=network.tenant,
        work_orders=[pendants(build_order(network, 100))],
        actor=SYSTEM,
    )
    with pytest.raises(IllegalMove):
        release_plan(plan=plan, actor=SYSTEM)
    discard_plan(plan=plan, actor=SYSTEM)
    assert discard_plan(plan=plan, actor=SYSTEM).state == PlanState.DISCARDED
    assert not outbox.run(OUTBOX, plan.pk)
    with pytest.raises(IllegalMove):
        release_plan(plan=plan, actor=SYSTEM)


def test_asking_twice_while_it_is_computed_makes_one_plan(network: Network):
    order = build_order(network, 100)
    asked = [
        request_plan(tenant=network.tenant, work_orders=[pendants(order)], actor=SYSTEM)
        for _ in range(2)
    ]
    assert asked[0] == asked[1]
    other = request_plan(
        tenant=network.tenant,
        work_orders=[pendants(order)],
        actor=SYSTEM,
        fairness=1,
    )
    assert other != asked[0]


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"min_lot": 0}, "min_lot"),
        ({"min_lot": 50, "max_lot": 40}, "max_lot"),
        ({"max_lot": 10**9}, "max_lot"),
        ({"fairness": 1.5}, "fairness"),
        ({"fairness": float("nan")}, "fairness"),
        ({"seed": -1}, "seed"),
        ({"due_on": timezone.localdate() - timedelta(days=1)}, "due_on"),
    ],
)
def test_rules_that_make_no_sense_are_refused(network: Network, rules, field):
    work_order = pendants(build_order(network, 100))
    with pytest.raises(Invalid) as error:
        made_plan(work_order, **rules)
    assert error.value.field == field
    assert not Plan.objects.exists()


def test_a_lost_worker_is_replaced_and_the_plan_gives_up_in_the_end(network: Network):
    plan = request_plan(
        tenant=network.tenant,
        work_orders=[pendants(build_order(network, 100))],
        actor=SYSTEM,
    )
    box = next(one for one in outbox.outboxes() if one.name == OUTBOX)
    for attempt in (1, 2, 3):
        claimed = outbox.claim(box, plan.pk)
        assert claimed.attempts == attempt
        Plan.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        assert outbox.sweep(network.tenant)["lost"] == 1
        plan.refresh_from_db()
        assert plan.state == (PlanState.FAILED if attempt == 3 else PlanState.QUEUED)
    assert "lost 3 times" in plan.last_error


def test_a_worker_that_lost_its_plan_changes_nothing(network: Network):
    plan = request_plan(
        tenant=network.tenant,
        work_orders=[pendants(build_order(network, 100))],
        actor=SYSTEM,
    )
    box = next(one for one in outbox.outboxes() if one.name == OUTBOX)
    slow = outbox.claim(box, plan.pk)
    discard_plan(plan=plan, actor=SYSTEM)
    box.deliver(slow)
    plan.refresh_from_db()
    assert plan.state == PlanState.DISCARDED
    assert not plan.proposals.exists()


def test_work_that_is_late_is_planned_for_another_day(network: Network):
    work_order = pendants(build_order(network, 100))
    work_order.due_on = timezone.localdate()
    work_order.save()
    assert made_plan(work_order).rows.get().short == 100
    day = timezone.localdate() + timedelta(days=10)
    plan = made_plan(work_order, due_on=day)
    assert plan.rows.get().short == 0
    jobs = release_plan(plan=plan, actor=SYSTEM)
    assert {job.due_on for job in jobs} == {day}


def test_the_same_seed_gives_the_same_plan(network: Network):
    area, skill = network.area, network.pendant.skill
    for number in range(60, 75):
        build_workshop(network.tenant, area, number, skill)
    work_order = pendants(build_order(network, 900))
    plans = [placed(made_plan(work_order, seed=seed, fairness=0)) for seed in (7, 7, 8)]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]


class TestEditing:
    @pytest.fixture
    def plan(self, network: Network) -> Plan:
        return made_plan(pendants(build_order(network, 250)))

    @pytest.fixture
    def edit(self, network: Network, plan: Plan):
        user = build_user(network.tenant, "grace", Role.PLANNER)

        def change(workshop, quantity, reason=""):
            return edit_proposal(
                plan=plan,
                work_order=plan.rows.get().work_order,
                workshop=workshop,
                quantity=quantity,
                actor=SYSTEM,
                user=user,
                override_reason=reason,
            )

        return change

    def test_less_leaves_a_shortage(self, network: Network, plan: Plan, edit):
        largest = plan.proposals.order_by("-quantity").first()
        changed = edit(largest.workshop, 40)
        assert changed.edited_by.first_name == "grace"
        row = plan.rows.get()
        assert row.short == largest.quantity - 40
        assert row.why_short
        assert Event.objects.filter(name="plan.edited").count() == 1
        edit(largest.workshop, 40)
        assert Event.objects.filter(name="plan.edited").count() == 1

    def test_more_than_is_open_is_refused(self, network: Network, plan: Plan, edit):
        with pytest.raises(Invalid, match="are too many"):
            edit(network.horn[0], 101)
        with pytest.raises(Invalid, match="below zero"):
            edit(network.horn[0], -1)

    def test_below_the_smallest_lot_needs_a_reason(self, network, plan, edit):
        workshop = plan.proposals.first().workshop
        with pytest.raises(Invalid, match="smallest lot of 30") as error:
            edit(workshop, 25)
        assert error.value.field == "override_reason"
        assert edit(workshop, 25, "first job in this shop").override_reason
        assert release_plan(plan=plan, actor=SYSTEM)

    def test_out_and_in_again(self, network: Network, plan: Plan, edit):
        one = plan.proposals.first()
        assert edit(one.workshop, 0) is None
        out = plan.passed_over.get(workshop=one.workshop)
        assert out.obstacle == Obstacle.EDITED
        assert "grace" in out.detail
        back = edit(one.workshop, one.quantity)
        assert back.reasons[0] == "Brought in by a planner."
        assert len(back.dimensions) == 5
        assert not plan.passed_over.filter(workshop=one.workshop).exists()
        assert plan.rows.get().short == 0

    def test_who_cannot_make_it_is_not_brought_in(self, network, plan, edit):
        edit(plan.proposals.first().workshop, 0)
        with pytest.raises(Invalid, match="cannot make it"):
            edit(network.brass[0], 40)

    def test_above_free_capacity_warns(self, network: Network, plan: Plan, edit):
        Proposal.objects.update(free=35)
        one, two, _ = plan.proposals.all()
        edit(two.workshop, 0)
        changed = edit(one.workshop, 120)
        assert "120 of 35 pieces" in changed.warning
        assert "largest lot of 100" in changed.warning

    def test_a_released_plan_stays_as_it_is(self, network, plan, edit):
        release_plan(plan=plan, actor=SYSTEM)
        with pytest.raises(IllegalMove, match="cannot be edited"):
            edit(network.horn[0], 40)
