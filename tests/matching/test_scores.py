"""The five dimensions: what counts, what does not, and what a short history is worth."""

from datetime import timedelta

import pytest
from django.utils import timezone

from artisans.models import CapacityPeriod
from matching.enums import Answer, Dimension
from matching.models import JobRecord
from matching.queries import five_dimensions, workshop_scores
from matching.scores import WEIGHTS, DimensionValue
from orders.services.jobs import offer_job
from tests.builders import SYSTEM, Network, build_order, build_workshop
from tests.matching.helpers import pendants, write_history

pytestmark = pytest.mark.django_db


def grades(workshop, now=None) -> dict[Dimension, DimensionValue]:
    return {one.dimension: one for one in five_dimensions(workshop, now)}


@pytest.fixture
def peers(network: Network) -> Network:
    """Twelve more horn workshops, good and less good, with a year of work."""
    for number in range(60, 72):
        workshop = build_workshop(
            network.tenant, network.area, number, network.pendant.skill
        )
        write_history(network, workshop, 10, good=44 + number % 4, bad=6 - number % 4)
        late = write_history(network, workshop, number % 3, late_days=2)
        assert len(late) == number % 3
    return network


def test_weights_add_up_to_one():
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert set(WEIGHTS) == set(Dimension)


def test_nothing_known_of_anybody_is_not_measured(network: Network):
    found = grades(network.horn[0])
    assert list(found) == list(Dimension)
    for one in (Dimension.QUALITY, Dimension.TIMELINESS, Dimension.RESPONSIVENESS):
        assert (found[one].value, found[one].n) == (None, 0)
    assert found[Dimension.AVAILABILITY].value == 1


def test_a_new_workshop_stands_where_the_network_stands(peers: Network):
    found = grades(peers.horn[0])
    quality = found[Dimension.QUALITY]
    assert quality.n == 0
    assert quality.value == pytest.approx(quality.network)
    assert quality.low < quality.value < quality.high
    assert "until more is known" in quality.note


def test_one_bad_job_weighs_less_than_ten(peers: Network):
    once, often, _ = peers.horn
    write_history(peers, once, 1, good=25, bad=25)
    write_history(peers, often, 10, good=25, bad=25)
    network = grades(once)[Dimension.QUALITY]
    one, ten = network, grades(often)[Dimension.QUALITY]
    assert ten.value < one.value < one.network
    assert ten.value < 0.65
    assert ten.high - ten.low < one.high - one.low
    assert one.low <= one.value <= one.high


def test_a_no_and_a_pause_lower_nothing(peers: Network):
    workshop = peers.horn[0]
    write_history(peers, workshop, 5)
    before = grades(workshop)
    write_history(peers, workshop, 8, answer=Answer.DECLINED)
    CapacityPeriod.objects.create(
        tenant=peers.tenant,
        workshop=workshop,
        starts_on=timezone.localdate() + timedelta(days=3),
        ends_on=timezone.localdate() + timedelta(days=12),
        pieces_per_week=0,
    )
    after = grades(workshop)
    for one in Dimension:
        assert after[one].value >= before[one].value - 1e-9
    assert after[Dimension.RESPONSIVENESS].n == before[Dimension.RESPONSIVENESS].n + 8


def test_silence_lowers_responsiveness_only(peers: Network):
    workshop = peers.horn[0]
    write_history(peers, workshop, 5)
    before = grades(workshop)
    write_history(peers, workshop, 5, answer=Answer.SILENT)
    after = grades(workshop)
    assert (
        after[Dimension.RESPONSIVENESS].value < before[Dimension.RESPONSIVENESS].value
    )
    for one in (Dimension.QUALITY, Dimension.TIMELINESS, Dimension.CAPACITY):
        assert after[one].n == before[one].n


def test_b_never_lowers_quality(peers: Network):
    with_b, without, _ = peers.horn
    write_history(peers, with_b, 6, good=40, units_b=10, quantity=50)
    write_history(peers, without, 6, good=50)
    assert grades(with_b)[Dimension.QUALITY].value == pytest.approx(
        grades(without)[Dimension.QUALITY].value
    )


def test_what_is_not_known_yet_is_left_out(peers: Network):
    workshop = peers.horn[0]
    now = timezone.now()
    common = {
        "tenant": peers.tenant,
        "workshop": workshop,
        "component": peers.pendant,
        "quantity": 50,
        "offered_at": now - timedelta(days=20),
        "answered_at": now - timedelta(days=20),
        "answer": Answer.ACCEPTED,
    }
    JobRecord.objects.create(job="live:1", due_at=now + timedelta(days=3), **common)
    JobRecord.objects.create(job="old:x", due_at=now - timedelta(days=3), **common)
    assert grades(workshop)[Dimension.TIMELINESS].n == 0
    JobRecord.objects.create(job="live:2", due_at=now - timedelta(days=3), **common)
    late = grades(workshop)[Dimension.TIMELINESS]
    assert late.n == 1
    assert late.value < late.network
    earlier = grades(workshop, now - timedelta(days=5))[Dimension.TIMELINESS]
    assert earlier.n == 0


def test_promised_work_lowers_availability(network: Network):
    workshop = network.horn[0]
    order = build_order(network, 160)
    offer_job(work_order=pendants(order), workshop=workshop, quantity=160, actor=SYSTEM)
    assert grades(workshop)[Dimension.AVAILABILITY].value == pytest.approx(0.5)


def test_all_workshops_cost_as_many_queries_as_one(
    peers: Network, django_assert_num_queries
):
    with django_assert_num_queries(3):
        workshop_scores(peers.horn[:1])
    with django_assert_num_queries(3):
        assert len(workshop_scores(peers.horn + peers.brass)) == 5
