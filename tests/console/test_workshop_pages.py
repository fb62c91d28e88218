"""Workshops in the console."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from artisans.console.weeks import overbooked, weeks_of
from artisans.models import Area, CapacityPeriod, Workshop
from matching.capacity import Calendar, Period
from matching.models import JobRecord
from tests.builders import Network, build_day, build_job, build_network
from vrp.accounts.enums import Role
from vrp.events.models import Event
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def text(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def test_the_list_is_filtered(network: Network, signed_in: SignedIn) -> None:
    build_job(network, workshop=network.horn[0])
    client = signed_in(Role.PLANNER)
    skill = network.brass[0].skills.get().skill_id
    for query, wanted in (
        ("q=w-018", {"W-018"}),
        ("q=wanjiku", {"W-017", "W-018", "W-019", "W-042", "W-043"}),
        (f"skill={skill}", {"W-042", "W-043"}),
        (f"area={network.area.pk}&q=42", {"W-042"}),
        ("active=yes", {"W-017"}),
        ("active=no&q=W-01", {"W-018", "W-019"}),
        ("skill=abc&area=-1&active=perhaps&q=W-01", {"W-017", "W-018", "W-019"}),
        ("q=" + network.horn[2].phone.replace("+254", "0"), {"W-019"}),
    ):
        page = text(client, f"/ops/workshops/?{query}")
        assert {w.code for w in network.horn + network.brass if f">{w.code}</a>" in page} \
            == wanted, query  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "days", "active"),
    [("accepted", 90, 1), ("part", 3, 1), ("accepted", 92, 0), ("declined", 3, 0),
     ("silent", 3, 0)],
)  # fmt: skip
def test_a_loaded_history_counts_as_activity(
    network: Network, signed_in: SignedIn, answer: str, days: int, active: int
) -> None:
    now = timezone.now()
    JobRecord.objects.create(
        tenant=network.tenant, job="before:1", workshop=network.horn[1],
        component=network.pendant, quantity=40, answer=answer,
        offered_at=now - timedelta(days=days), due_at=now,
    )  # fmt: skip
    client = signed_in(Role.PLANNER)
    found = client.get("/ops/workshops/?active=yes").context
    assert [row.code for row in found["page"].rows] == ["W-018"] * active
    assert found["stats"]["active"] == active
    rest = client.get("/ops/workshops/?active=no").context["page"].rows
    assert len(rest) == 5 - active


def test_an_empty_network_points_at_the_import(
    tenant: Tenant, signed_in: SignedIn
) -> None:
    page = text(signed_in(Role.PLANNER), "/ops/workshops/")
    assert "/ops/workshops/import/" in page
    assert "No workshops yet" in page


@pytest.mark.parametrize("role", list(Role))
def test_every_role_reads_a_workshop(
    network: Network, signed_in: SignedIn, role: Role
) -> None:
    build_job(network, workshop=network.horn[0])
    page = text(signed_in(role), f"/ops/workshops/{network.horn[0].pk}/")
    for words in ("Quality", "Timeliness", "Responsiveness", "Capacity",
                  "Availability", "Horn carving", "Wanjiku Otieno"):  # fmt: skip
        assert words in page
    may = role in (Role.ADMIN, Role.PLANNER)
    assert (f"/ops/workshops/{network.horn[0].pk}/phone/" in page) == may


def test_the_page_costs_a_fixed_number_of_queries(
    network: Network, signed_in: SignedIn
) -> None:
    client, url = signed_in(Role.PLANNER), f"/ops/workshops/{network.horn[0].pk}/"
    build_job(network, workshop=network.horn[0])
    text(client, url)
    with CaptureQueriesContext(connection) as few:
        text(client, url)
    for _ in range(2):
        build_job(network, workshop=network.horn[0])
    with CaptureQueriesContext(connection) as many:
        text(client, url)
    assert len(many) == len(few)
    assert len(few) < 45


def test_a_workshop_is_changed_by_its_services(
    network: Network, signed_in: SignedIn
) -> None:
    workshop, client = network.horn[0], signed_in(Role.ADMIN)
    base = f"/ops/workshops/{workshop.pk}"
    pause = {"starts_on": build_day(3).isoformat(), "ends_on": build_day(9).isoformat(),
             "pieces": "0", "reason": "farm"}  # fmt: skip
    for _ in range(2):  # a second click changes nothing
        client.post(f"{base}/capacity/", {"pieces": "120"})
        client.post(f"{base}/language/", {"language": "sw"})
        client.post(f"{base}/phone/", {"phone": "0712 345 678"})
        client.post(f"{base}/period/", pause)
    workshop.refresh_from_db()
    assert workshop.capacity_per_week == 120
    assert (workshop.language, workshop.phone) == ("sw", "+254712345678")
    assert CapacityPeriod.objects.filter(workshop=workshop).count() == 1
    names = set(Event.objects.values_list("name", flat=True))
    assert {"workshop.capacity_set", "workshop.language_set", "workshop.phone_changed",
            "workshop.period_added"} <= names  # fmt: skip
    assert "farm" in text(client, f"{base}/")


@pytest.mark.parametrize(
    ("what", "given"),
    [
        ("capacity", {}),
        ("capacity", {"pieces": "-1"}),
        ("capacity", {"pieces": "99999"}),
        ("capacity", {"pieces": "9" * 30}),
        ("language", {"language": "fr"}),
        ("phone", {"phone": "0202345678"}),
        ("phone", {"phone": "{taken}"}),
        ("phone", {"phone": "\x00"}),
        ("period", {"pieces": "0"}),
        ("period", {"starts_on": "2020-01-01", "ends_on": "2020-02-01", "pieces": "0"}),
        ("period", {"starts_on": "{day}", "ends_on": "9999-12-31", "pieces": "0"}),
        ("period", {"starts_on": "{day}", "ends_on": "2020-02-01", "pieces": "0"}),
        ("period", {"starts_on": "{day}", "ends_on": "{day}", "pieces": "many"}),
    ],
)
def test_bad_input_changes_nothing(
    network: Network, signed_in: SignedIn, what: str, given: dict[str, str]
) -> None:
    workshop = network.horn[0]
    before = Workshop.objects.filter(pk=workshop.pk).values().get()
    fill = {"{taken}": network.horn[1].phone, "{day}": build_day(2).isoformat()}
    given = {name: fill.get(value, value) for name, value in given.items()}
    answer = signed_in(Role.PLANNER).post(
        f"/ops/workshops/{workshop.pk}/{what}/", given, follow=True
    )
    assert "stays as it is" in answer.content.decode()
    assert Workshop.objects.filter(pk=workshop.pk).values().get() == before
    assert CapacityPeriod.objects.count() == 0


@pytest.mark.parametrize("role", [Role.QC, Role.FIELD, Role.AUDITOR])
def test_others_change_nothing(
    network: Network, signed_in: SignedIn, role: Role
) -> None:
    url = f"/ops/workshops/{network.horn[0].pk}/capacity/"
    assert signed_in(role).post(url, {"pieces": "1"}).status_code == 403


def test_a_field_worker_opens_her_regions_only(
    network: Network, signed_in: SignedIn
) -> None:
    far = Area.objects.create(
        tenant=network.tenant, code="kisumu", name="Kisumu", region="Nyanza"
    )
    Workshop.objects.filter(pk=network.horn[1].pk).update(area=far)
    client = signed_in(Role.FIELD)
    page = text(client, "/ops/workshops/")
    assert "W-017" in page
    assert "W-018" not in page
    assert "Kisumu" not in page
    assert client.get(f"/ops/workshops/{network.horn[1].pk}/").status_code == 404


def test_the_neighbours_workshop_is_not_found(
    network: Network, signed_in: SignedIn, other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant):
        theirs = build_network(other_tenant).horn[0]
    client = signed_in(Role.ADMIN)
    assert client.get(f"/ops/workshops/{theirs.pk}/").status_code == 404
    for what in ("capacity", "period", "language", "phone"):
        url = f"/ops/workshops/{theirs.pk}/{what}/"
        assert client.post(url, {"pieces": "1"}).status_code == 404


def test_promised_pieces_fill_the_weeks_in_order() -> None:
    today = date(2027, 3, 1)
    pause = Period(today + timedelta(days=8), today + timedelta(days=14), 0, "farm")
    load = ((today + timedelta(days=6), 90), (today + timedelta(days=30), 60))
    weeks = weeks_of(Calendar(today, 70, (pause,), load), 4)
    assert [week.capacity for week in weeks] == [70, 0, 70, 70]
    assert [week.taken for week in weeks] == [70, 0, 70, 10]
    assert [week.paused for week in weeks] == [False, True, False, False]
    assert weeks[1].reason == "farm"
    assert weeks[3].free == 60
    # 90 are promised in six days of ten a day.
    assert overbooked(Calendar(today, 70, (pause,), load)) == 30
