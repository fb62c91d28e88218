"""The Today page: what waits for whom, and what happened last."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from artisans.models import Area
from orders.models import Job
from tests.builders import SYSTEM, Network, build_day, build_job
from vrp.accounts.enums import Role
from vrp.console.history import event_rows
from vrp.console.views import READ_EVENTS
from vrp.events.models import Event
from vrp.events.services import record

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]
LATE = "Jobs late"
UNANSWERED = "Offers without an answer"


def waiting(client: Client) -> dict[str, int]:
    answer = client.get("/ops/")
    assert answer.status_code == 200
    return {card.title: card.count for card in answer.context["cards"]}


def move_away(network: Network, number: int) -> None:
    """Workshop ``number`` of the horn carvers is in another region."""
    coast = Area.objects.create(
        tenant=network.tenant, code="coast", name="Lamu", region="Coast"
    )
    network.horn[number].area = coast
    network.horn[number].save()


def test_a_field_worker_sees_whom_to_call_on_in_her_regions(
    network: Network, signed_in: SignedIn
) -> None:
    move_away(network, 2)
    for number in (0, 1, 2):
        build_job(network, 60, workshop=network.horn[number], accepted=False)
        late = build_job(network, 40, workshop=network.horn[number])
        Job.objects.filter(pk=late.pk).update(due_on=build_day(-1))
    found = waiting(signed_in(Role.FIELD))
    assert (found[UNANSWERED], found[LATE]) == (2, 2)


def test_cards_of_a_role_are_not_told_twice(
    network: Network, signed_in: SignedIn
) -> None:
    late = build_job(network, 40)
    Job.objects.filter(pk=late.pk).update(due_on=build_day(-1))
    build_job(network, 60, workshop=network.horn[1], accepted=False)
    for roles in ((Role.FIELD, Role.PLANNER), (Role.FIELD, Role.AUDITOR)):
        cards = signed_in(*roles, name=roles[1]).get("/ops/").context["cards"]
        titles = [card.title for card in cards]
        assert titles.count(LATE) == 1
        assert UNANSWERED not in titles
    assert waiting(signed_in(Role.QC)) == {}


def test_what_happened_last_is_about_the_work(
    network: Network, signed_in: SignedIn
) -> None:
    job = build_job(network, 40)
    for name in ("message.sent", "channel.account_set", "webhook.replayed") * 8:
        record(name, subject=job, actor=SYSTEM)
    client = signed_in(Role.PLANNER)
    with CaptureQueriesContext(connection) as seen:
        latest = client.get("/ops/").context["latest"]
    rooms = {event.name.partition(".")[0] for event in latest}
    assert latest[0].name == "job.accepted"
    assert rooms.isdisjoint({"message", "channel", "webhook"})
    reads = [row["sql"] for row in seen if 'FROM "events_event"' in row["sql"]]
    assert len(reads) == 1
    assert f"LIMIT {READ_EVENTS}" in reads[0]


def test_at_most_twelve_things_are_shown(network: Network, signed_in: SignedIn) -> None:
    for _ in range(20):
        record("office.changed", subject=network.buyer, actor=SYSTEM)
    assert len(signed_in(Role.PLANNER).get("/ops/").context["latest"]) == 12


@pytest.mark.parametrize("text", ["2026-13-40", "20261123", "2026-11-23T08:00", ""])
def test_only_dates_are_told_as_dates(network: Network, text: str) -> None:
    event = Event(name="delivery.booked", data={"note": text})
    assert event_rows([event])[0]["detail"] == (f"note {text}" if text else "")


def test_a_recorded_date_is_told_in_words(network: Network) -> None:
    event = Event(name="delivery.booked", data={"booked_for": "2019-03-05"})
    assert event_rows([event])[0]["detail"] == "booked for 5 Mar 2019"
    day = build_day(0)
    event.data = {"booked_for": day.isoformat()}
    assert event_rows([event])[0]["detail"] == f"booked for {day.day} {day:%b}"
