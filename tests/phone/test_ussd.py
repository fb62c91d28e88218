"""Walks through the menu, and what the carrier may do to a session."""

import json
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import example, given, settings
from hypothesis import strategies as st

from artisans.models import Workshop
from orders.enums import JobState
from orders.models import Delivery, Job
from orders.services.jobs import report_progress, withdraw_job
from phone.models import UssdSession
from phone.ussd import engine
from phone.ussd.engine import new_answer
from phone.ussd.screens import SCREENS
from tests.builders import (
    SYSTEM,
    Network,
    build_job,
    build_network,
    build_tenant,
)
from tests.phone.conftest import Handset, build_channel
from vrp.events.models import Event
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db


def test_accept_in_english(handset: Handset, network: Network) -> None:
    job = build_job(network, accepted=False)
    assert handset.dial() == (
        "CON Welcome Wanjiku.\n1 New work(1)\n2 My jobs\n3 Deliver\n4 Money\n"
        "5 Progress\n6 Language"
    )
    offer = handset.type("1")
    assert offer.startswith(f"CON {job.number} HP-01 x100, KES 560 each, due ")
    assert handset.type("1") == "CON Accept 100 HP-01?\n1 Yes\n2 No"
    job.refresh_from_db()
    assert job.state == JobState.OFFERED
    done = handset.type("1")
    assert done.startswith("END Accepted 100 HP-01, due ")
    assert done.endswith(f"Ref {job.number}-17.")
    job.refresh_from_db()
    assert job.state == JobState.ACCEPTED
    event = Event.objects.get(name="job.accepted")
    assert (event.actor_kind, event.actor_label) == ("artisan", "W-017")


def test_accept_in_swahili(handset: Handset, network: Network) -> None:
    mine = network.horn[2]
    handset.phone = mine.phone
    job = build_job(network, workshop=mine, accepted=False)
    assert "1 Kazi mpya(1)" in handset.dial()
    assert "KES 560 kila moja, mwisho" in handset.type("1")
    assert handset.type("1") == "CON Unakubali HP-01 100?\n1 Ndiyo\n2 Hapana"
    assert handset.type("1").startswith("END Umekubali HP-01 100, mwisho ")
    job.refresh_from_db()
    assert job.state == JobState.ACCEPTED


def test_accept_a_part(handset: Handset, network: Network) -> None:
    job = build_job(network, accepted=False)
    assert handset.dial("1", "2").startswith("CON How many of 100 HP-01")
    assert handset.type("101").startswith("CON Say 1 to 100.\n")
    assert handset.type("sitini").startswith("CON Say 1 to 100.\n")
    assert handset.type("60") == "CON Accept 60 HP-01?\n1 Yes\n2 No"
    # No: the offer stands as it was made.
    assert "x100" in handset.type("2")
    assert handset.type("1") == "CON Accept 100 HP-01?\n1 Yes\n2 No"
    assert handset.type("0").startswith("CON ")
    assert handset.dial("1", "2", "60", "1").startswith("END Accepted 60 HP-01")
    job.refresh_from_db()
    assert (job.state, job.quantity) == (JobState.ACCEPTED, 60)


@pytest.mark.parametrize(
    ("language", "index", "asked", "said"),
    [("en", 0, "Why do you decline", "Declined"), ("sw", 2, "Kwa nini", "Umekataa")],
)
def test_decline_with_a_reason(
    handset: Handset, network: Network, language: str, index: int, asked: str, said: str
) -> None:
    mine = network.horn[index]
    handset.phone = mine.phone
    job = build_job(network, workshop=mine, accepted=False)
    assert asked in handset.dial("1", "3")
    assert handset.type("2").startswith(f"END {said}")
    job.refresh_from_db()
    assert (job.state, job.decline_reason) == (JobState.DECLINED, "price")


@pytest.mark.parametrize(("index", "said"), [(0, "40/100 made"), (2, "40/100 tayari")])
def test_progress(handset: Handset, network: Network, index: int, said: str) -> None:
    mine = network.horn[index]
    handset.phone = mine.phone
    job = build_job(network, workshop=mine)
    handset.dial("5")
    assert handset.type("101").startswith(("CON Say 0 to 100.", "CON Sema 0 hadi 100."))
    assert said in handset.type("40")
    assert handset.dial("2", "1", "1", "40").startswith("END ")
    job.refresh_from_db()
    assert (job.made, job.state) == (40, JobState.IN_PROGRESS)


@pytest.mark.parametrize("index", [0, 2])
@time_machine.travel("2027-03-05 09:00+03:00", tick=False)
def test_book_a_delivery(handset: Handset, network: Network, index: int) -> None:
    mine = network.horn[index]
    handset.phone = mine.phone
    job = build_job(network, workshop=mine)
    report_progress(job=job, made=98, actor=SYSTEM)
    assert "(98" in handset.dial("3")
    days = handset.type("1")
    # From Friday on: the next working days are Monday to Thursday.
    wanted = [("Mon 8 Mar", "Thu 11 Mar"), ("Jumatatu 8 Mac", "Alhamisi 11 Mac")]
    first, last = wanted[index == 2]
    assert f"1 {first}" in days
    assert f"4 {last}" in days
    booked = handset.type("4")
    delivery = Delivery.objects.get()
    assert booked.startswith("END ")
    assert str(delivery) in booked
    assert delivery.booked_for.isoformat() == "2027-03-11"
    assert delivery.lines.get().declared == 98
    # What is announced is not offered again; the two left can be.
    assert "(0 " in handset.dial("3")
    assert handset.type("1").startswith("CON ")
    assert handset.type("3")[:12] in ("CON Say 1 to", "CON Sema 1 h")


def test_nothing_to_show(handset: Handset) -> None:
    assert handset.dial("1") == "END No new work now."
    assert handset.dial("2") == "END You have no open jobs."
    assert handset.dial("3") == "END Nothing to deliver now."
    assert handset.dial("4") == ("CON Owed to you: KES 0.\nNo payments yet.\n0 Back")
    assert handset.dial("5") == "END You have no open jobs."


def test_language_holds_from_the_next_word_on(handset: Handset, horn: Workshop) -> None:
    assert handset.dial("6", "2") == "END Kuanzia sasa tutakuandikia kwa Kiswahili."
    assert handset.dial().startswith("CON Karibu Wanjiku.")
    horn.refresh_from_db()
    assert horn.language == "sw"


def test_long_lists_page_and_every_row_can_be_chosen(
    handset: Handset, network: Network
) -> None:
    jobs = [build_job(network, 30, accepted=False) for _ in range(14)]
    seen: list[str] = []
    said = handset.dial("1")
    for _ in range(10):
        seen += [line for line in said.splitlines() if "HP-01" in line]
        if "98 More" not in said:
            break
        said = handset.type("98")
    assert [line.split()[0] for line in seen] == [str(n) for n in range(1, 15)]
    assert handset.type("98").startswith("CON Not understood.")
    # Row 14 is on this page, row 1 is not.
    assert handset.type("1").startswith("CON Not understood.")
    chosen = handset.type("14")
    assert chosen.startswith(f"CON {seen[13].split()[1]} HP-01 x30")
    assert {line.split()[1] for line in seen} == {str(job.number) for job in jobs}


def test_a_choice_means_what_was_shown(handset: Handset, network: Network) -> None:
    first, second = (build_job(network, 30, accepted=False) for _ in range(2))
    said = handset.dial("1")
    assert f"1 {first.number} HP-01" in said
    withdraw_job(job=first, actor=SYSTEM, reason="test")
    gone = handset.type("1")
    assert gone.startswith("END That is not possible any more")
    second.refresh_from_db()
    assert second.state == JobState.OFFERED


def test_an_offer_that_went_away_is_not_accepted(
    handset: Handset, network: Network
) -> None:
    job = build_job(network, accepted=False)
    handset.dial("1", "1")
    withdraw_job(job=job, actor=SYSTEM, reason="test")
    assert handset.type("1").startswith("END That is not possible any more")


def test_an_exact_repeat_gets_the_same_bytes_and_acts_once(
    handset: Handset, network: Network
) -> None:
    build_job(network, accepted=False)
    said = [handset.dial(), handset.type("1"), handset.type("1"), handset.type("1")]
    assert [handset.send("1*1*1") for _ in range(3)] == [said[3]] * 3
    assert Event.objects.filter(name="job.accepted").count() == 1
    assert UssdSession.objects.get().turns == 4


def test_shorter_and_divergent_texts_never_act(
    handset: Handset, network: Network
) -> None:
    job = build_job(network, accepted=False)
    confirm = handset.dial("1", "1")
    for text in ("", "1", "2*1*1", "1*2*1", "11*1", "*1*1*1"):
        assert handset.send(text) == confirm
    job.refresh_from_db()
    assert job.state == JobState.OFFERED
    assert handset.send("1*1*1").startswith("END Accepted")


def test_a_star_inside_an_answer_is_part_of_it(
    handset: Handset, network: Network
) -> None:
    assert new_answer("1*2", "1*2*4*0") == "4*0"
    assert new_answer("", "1*2") == "1*2"
    assert new_answer("1", "12") is None
    job = build_job(network)
    handset.dial("5")
    # "4*0" typed as one answer is not the number 0, nor 40.
    assert handset.type("4*0").startswith("CON Say 0 to 100.")
    job.refresh_from_db()
    assert job.made == 0


def test_an_unknown_session_starts_whatever_its_text(
    handset: Handset, network: Network
) -> None:
    job = build_job(network, accepted=False)
    handset.session, handset.text = "ATUid_lost", "1*1*1"
    assert handset.send("1*1*1").startswith("CON Welcome Wanjiku.")
    job.refresh_from_db()
    assert job.state == JobState.OFFERED
    # and goes on from there
    assert handset.type("1").startswith(f"CON {job.number} HP-01")


@pytest.mark.parametrize(
    ("index", "said"),
    [(0, "END Too much time has passed."), (2, "END Muda umekwisha.")],
)
def test_an_expired_session_ends_and_acts_on_nothing(
    handset: Handset, network: Network, index: int, said: str
) -> None:
    mine = network.horn[index]
    handset.phone = mine.phone
    job = build_job(network, workshop=mine, accepted=False)
    handset.dial("1", "1")
    with time_machine.travel(timezone.now() + timedelta(minutes=4)):
        over = handset.type("1")
        assert over.startswith(said)
        # It stays over, whatever comes after.
        for text in ("", "1", "1*1", "1*1*1", "1*1*1*1", "2"):
            assert handset.send(text) == over
        job.refresh_from_db()
        assert job.state == JobState.OFFERED
        # She dials again: a new session.
        done = handset.dial("1", "1", "1")
        assert done.startswith(("END Accepted", "END Umekubali"))


def test_earlier_turns_of_an_ended_session_accept_no_other_job(
    handset: Handset, network: Network
) -> None:
    for _ in range(3):
        build_job(network, 30, accepted=False)
    walk = ["", "1", "1*1", "1*1*1", "1*1*1*1"]
    handset.dial()
    said = [handset.send(text) for text in walk]
    assert said[-1].startswith("END Accepted 30 HP-01")
    for text in walk[1:] * 3:
        assert handset.send(text) == said[-1]
    assert Event.objects.filter(name="job.accepted").count() == 1
    assert Job.objects.filter(state=JobState.OFFERED).count() == 2


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of the tenant that a phone could change."""
    rooms = ("artisans", "orders", "payments", "phone", "events")
    return {
        model.__name__: list(model._base_manager.order_by("pk").values())
        for room in rooms
        for model in apps.get_app_config(room).get_models()
    }


@pytest.mark.parametrize(
    "walk",
    [
        ["1", "1", "1", "1"],
        ["1", "2", "2", "1", "1"],
        ["1", "1", "3", "2"],
        ["5", "1", "20"],
        ["3", "1", "1"],
        ["3", "2", "5", "2"],
        ["6", "2"],
        ["1", "9", "4*0", "0", "1", "1", "1", "1"],
        # She hung up on the screen that asks for her yes.
        ["1", "1", "1"],
    ],
)
def test_turns_of_a_walk_come_again_in_any_order_and_change_nothing(
    handset: Handset, network: Network, walk: list[str]
) -> None:
    for _ in range(3):
        build_job(network, 30, accepted=False)
        report_progress(job=build_job(network, 30), made=10, actor=SYSTEM)
    last = handset.dial(*walk)
    assert last.startswith("CON " if walk == ["1", "1", "1"] else "END ")
    turns = ["*".join(walk[:count]) for count in range(len(walk) + 1)]
    before = everything()
    assert len(before["UssdSession"]) == 1

    @settings(max_examples=25, deadline=None)
    @example(turns)
    @given(st.lists(st.sampled_from(turns), max_size=2 * len(turns)))
    def come_again(texts: list[str]) -> None:
        assert {handset.send(text) for text in texts} <= {last}
        assert everything() == before

    come_again()


def test_a_session_belongs_to_its_phone(handset: Handset, network: Network) -> None:
    job = build_job(network, accepted=False)
    handset.dial("1", "1")
    handset.phone = network.horn[1].phone
    assert handset.type("1").startswith("END Something went wrong")
    job.refresh_from_db()
    assert job.state == JobState.OFFERED


def test_a_stranger_is_told_so_in_the_tenants_language(
    handset: Handset, tenant: Tenant
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(default_language="sw")
    handset.phone = "+254722000111"
    said = handset.dial()
    assert said == ("END Namba hii haijasajiliwa na Soko. Tafadhali uliza ofisi.")
    assert handset.send("1") == said


def test_any_failure_is_a_translated_end_and_changes_nothing(
    handset: Handset, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = network.horn[2]
    handset.phone = mine.phone
    job = build_job(network, workshop=mine, accepted=False)
    handset.dial("1", "1")
    real = engine._store

    def broken(*args: object) -> str:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(engine, "_store", broken)
    assert handset.type("1").startswith("END Kuna hitilafu upande wetu.")
    job.refresh_from_db()
    assert job.state == JobState.OFFERED
    # The carrier asks again: now it is done, once.
    monkeypatch.setattr(engine, "_store", real)
    assert handset.send("1*1*1").startswith("END Umekubali")


def test_reading_turns_cost_few_queries(handset: Handset, network: Network) -> None:
    for _ in range(3):
        build_job(network, 30)
        build_job(network, 30, accepted=False)
    paths: list[tuple[str, ...]] = [(), ("1",), ("2",), ("2", "1"), ("3",), ("5",)]
    for path in paths:
        handset.dial(*path[:-1]) if path else None
        with CaptureQueriesContext(connection) as done:
            handset.type(path[-1]) if path else handset.dial()
        real = [
            query["sql"]
            for query in done.captured_queries
            if not re.search("SAVEPOINT|lock_timeout", query["sql"])
        ]
        assert len(real) <= 6, (path, real)


def test_the_menu_has_no_dead_ends() -> None:
    # Steps in code lead to these.
    by_steps = ["offers", "offer", "confirm", "job", "progress_jobs", "pieces", "day"]
    reached, waiting = set(), ["main", *by_steps]
    while waiting:
        here = waiting.pop()
        if here in reached:
            continue
        reached.add(here)
        screen = SCREENS[here]
        assert screen.choices or screen.typed or screen.rows, here
        assert screen.back in SCREENS, here
        assert len(screen.choices) <= 9
        waiting += [to for to in screen.choices.values() if isinstance(to, str)]
    assert reached == set(SCREENS)


def test_session_data_is_plain_json(handset: Handset, network: Network) -> None:
    report_progress(job=build_job(network), made=50, actor=SYSTEM)
    handset.dial("3", "1")
    session = UssdSession.objects.get()
    assert json.loads(json.dumps(session.data)) == session.data


@pytest.mark.django_db(transaction=True)
def test_concurrent_identical_turns_act_once() -> None:
    tenant = build_tenant("soko")
    with tenant_scope(tenant):
        network = build_network(tenant)
        job = build_job(network, accepted=False)
    channel = build_channel(tenant)
    handset = Handset(channel, network.horn[0].phone)
    handset.dial("1", "1")
    said: list[str] = []
    gate = threading.Barrier(4)

    def press() -> None:
        own = Handset(channel, handset.phone, session=handset.session)
        try:
            gate.wait(10)
            said.append(own.send("1*1*1"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(said) == 4
    assert len(set(said)) == 1
    assert said[0].startswith("END Accepted")
    with tenant_scope(tenant):
        assert Event.objects.filter(name="job.accepted").count() == 1
        assert Job.objects.get(pk=job.pk).state == JobState.ACCEPTED
        assert UssdSession.objects.get().turns == 4


@pytest.mark.django_db(transaction=True)
def test_concurrent_first_dials_make_one_session() -> None:
    tenant = build_tenant("soko")
    with tenant_scope(tenant):
        network = build_network(tenant)
    channel = build_channel(tenant)
    said: list[str] = []
    gate = threading.Barrier(4)

    def dial() -> None:
        own = Handset(channel, network.horn[0].phone, session="ATUid_same")
        try:
            gate.wait(10)
            said.append(own.send(""))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=dial) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(said) == 4
    assert len(set(said)) == 1
    with tenant_scope(tenant):
        assert UssdSession.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_holds_is_not_waited_for_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant = build_tenant("soko")
    with tenant_scope(tenant):
        network = build_network(tenant)
        job = build_job(network, accepted=False)
    handset = Handset(build_channel(tenant), network.horn[0].phone)
    handset.dial("1", "1")
    monkeypatch.setattr(engine, "LOCK_WAIT", "200ms")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with tenant_scope(tenant), transaction.atomic():
                Job.objects.select_for_update(of=("self",)).get(pk=job.pk)
                held.set()
                done.wait(20)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    assert handset.type("1").startswith("END Something went wrong on our side.")
    done.set()
    holder.join(20)
    # The carrier asks once more: the row is free.
    assert handset.send("1*1*1").startswith("END Accepted")
