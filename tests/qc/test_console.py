"""The grading pages: who may, what a form may say, how many queries a list takes."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from qc.enums import Grade
from qc.models import Batch, Defect, Inspection, Item, ReworkTicket
from qc.services import Verdict, ensure_default_defects, grade_batch
from tests.builders import Network, build_network
from tests.qc.steps import FORM_OF_C1, bring_in, verdicts_of_c1
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

SignIn = Callable[..., Client]
Defects = dict[str, Defect]


@pytest.fixture
def qc(signed_in: SignIn) -> Client:
    return signed_in(Role.QC)


@pytest.fixture
def graded(batch: Batch, defects: Defects, grader: User, actor: Actor) -> Inspection:
    return grade_batch(
        batch=batch, verdicts=verdicts_of_c1(defects), grader=grader, actor=actor
    )


def page_of(batch: Batch) -> str:
    return f"/ops/batches/{batch.pk}/"


def test_the_form_grades_without_a_script(qc: Client, batch: Batch) -> None:
    page = qc.get(page_of(batch)).content.decode()
    assert "30 +/- 1 mm" in page
    assert page.count('name="b_count"') == 3
    answer = qc.post(page_of(batch), FORM_OF_C1, follow=True)
    found = Inspection.objects.get()
    assert (found.aa, found.a, found.b, found.rework) == (60, 28, 4, 6)
    text = answer.content.decode()
    assert "92 of 98 accepted" in text
    assert "rejection 6.1 %" in text
    assert "KES 51,520" in text
    assert f"HP-01-{batch.number}-098" in text


def test_several_defects_of_one_grade(qc: Client, batch: Batch) -> None:
    form = {
        "aa": "90",
        "rework_count": ["5", "", "3"],
        "rework_defect": ["scratch", "", "crack"],
    }
    qc.post(page_of(batch), form)
    found = Inspection.objects.get().grades.filter(grade=Grade.REWORK)
    codes = sorted(found.values_list("defect__code", flat=True))
    assert codes == ["crack"] * 3 + ["scratch"] * 5


def test_posting_twice_says_so_and_changes_nothing(qc: Client, batch: Batch) -> None:
    qc.post(page_of(batch), FORM_OF_C1)
    again = qc.post(page_of(batch), {"aa": "98"}, follow=True)
    assert "graded already" in again.content.decode()
    assert (Inspection.objects.count(), Item.objects.count()) == (1, 98)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"aa": "97"}, "97: 1 still to grade"),
        ({"aa": "-98"}, "whole number"),
        ({"aa": "98.0"}, "whole number"),
        ({"aa": "ninety"}, "whole number"),
        ({"aa": "٩٨"}, "whole number"),
        ({"aa": "9" * 5_000}, "whole number"),
        ({"aa": "1e9"}, "whole number"),
        ({"aa": "9999999"}, "too many"),
        ({}, "0: 98 still to grade"),
        ({"aa": "92", "rework_count": "6"}, "Say what is wrong"),
        ({"aa": "92", "rework_count": "6", "rework_defect": "nope"}, "of the list"),
        ({"aa": "92", "rework_count": "6", "rework_defect": "colour-differs"}, "gives B"),
        ({"aa": "92", "rework_count": "<b>", "rework_defect": "scratch"}, "whole number"),
        ({"aa": "98", "note": "x" * 3_000}, "note"),
        ({"aa": "98", "note": "nul \x00"}, "note"),
    ],
)  # fmt: skip
def test_a_bad_form_comes_back_as_it_was_typed(
    qc: Client, batch: Batch, form: dict[str, str], words: str
) -> None:
    answer = qc.post(page_of(batch), form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert 'value="<b>' not in page
    assert not Inspection.objects.exists()
    if form.get("aa", "").isascii() and 0 < len(form.get("aa", "")) <= 12:
        assert f'value="{form["aa"]}"' in page


def test_a_defect_of_another_tenant_is_no_choice(
    qc: Client, batch: Batch, other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant):
        ensure_default_defects(tenant=other_tenant)
        Defect.objects.create(
            tenant=other_tenant, code="theirs", name="theirs", name_sw="yao"
        )
    form = {"aa": "92", "rework_count": "6", "rework_defect": "theirs"}
    assert qc.post(page_of(batch), form).status_code == 422
    assert "theirs" not in qc.get(page_of(batch)).content.decode()


@pytest.mark.parametrize(
    "role", [Role.AUDITOR, Role.PLANNER, Role.FIELD, Role.FINANCE_MAKER, Role.ADMIN]
)
def test_only_qc_grades(
    signed_in: SignIn,
    batch: Batch,
    defects: Defects,
    grader: User,
    actor: Actor,
    role: Role,
) -> None:
    client = signed_in(role)
    page = client.get(page_of(batch))
    assert page.status_code == 200
    assert "data-grading" not in page.content.decode()
    assert client.post(page_of(batch), FORM_OF_C1).status_code == 403
    assert not Inspection.objects.exists()
    grade_batch(
        batch=batch, verdicts=verdicts_of_c1(defects), grader=grader, actor=actor
    )
    ticket = ReworkTicket.objects.get()
    for url, form in (
        (f"/ops/rework/{ticket.pk}/return/", {"counted": "6"}),
        (f"/ops/rework/{ticket.pk}/write-off/", {"reason": "gone"}),
    ):
        assert client.post(url, form).status_code == 403
    assert Batch.objects.count() == 1


def test_another_tenants_batch_is_not_there(
    qc: Client, batch: Batch, other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant):
        theirs = bring_in(build_network(other_tenant), 40)
    for url in (page_of(theirs), f"{page_of(theirs)}labels/"):
        assert qc.get(url).status_code == 404
    assert qc.post(page_of(theirs), {"aa": "40"}).status_code == 404
    with tenant_scope(other_tenant):
        assert not Inspection.objects.exists()


def test_a_field_worker_sees_her_regions_only(
    signed_in: SignIn, network: Network, batch: Batch
) -> None:
    client = signed_in(Role.FIELD)
    assert client.get(page_of(batch)).status_code == 200
    network.area.region = "Coast"
    network.area.save()
    assert client.get(page_of(batch)).status_code == 404
    assert "Everything is graded" in client.get("/ops/batches/").content.decode()


def test_labels_of_accepted_pieces(
    qc: Client, batch: Batch, graded: Inspection
) -> None:
    page = qc.get(f"{page_of(batch)}labels/").content.decode()
    assert page.count('class="label"') == 92
    assert page.count("<path stroke") == 92
    assert "style=" not in page
    everything = qc.get(f"{page_of(batch)}labels/?all=1").content.decode()
    assert everything.count('class="label"') == 98


def test_labels_wait_for_grading(qc: Client, batch: Batch) -> None:
    assert qc.get(f"{page_of(batch)}labels/").url == page_of(batch)


def test_rework_comes_back_by_form(qc: Client, graded: Inspection) -> None:
    ticket = ReworkTicket.objects.get()
    listed = qc.get("/ops/rework/").content.decode()
    assert "scratch" in listed
    for bad in ("", "0", "7", "-1", "six", "9" * 30):
        answer = qc.post(f"/ops/rework/{ticket.pk}/return/", {"counted": bad})
        assert answer.url == "/ops/rework/"
    assert Batch.objects.count() == 1
    answer = qc.post(f"/ops/rework/{ticket.pk}/return/", {"counted": "4"}, follow=True)
    page = answer.content.decode()
    assert "2 stay with W-017" in page
    serial = Item.objects.filter(grade=Grade.REWORK).order_by("serial").first()
    assert serial is not None
    assert serial.serial in page
    batch = Batch.objects.get(kind="rework")
    form = {
        "a": "3",
        "scrap_count": "1",
        "scrap_defect": "crack",
        "scrap_serials": serial.serial,
    }
    qc.post(page_of(batch), form)
    assert Item.objects.get(grade=Grade.SCRAP) == serial
    for state in ("returned", "lost", "nonsense"):
        assert qc.get(f"/ops/rework/?state={state}").status_code == 200


def test_rework_is_written_off_by_form(qc: Client, graded: Inspection) -> None:
    ticket = ReworkTicket.objects.get()
    url = f"/ops/rework/{ticket.pk}/write-off/"
    page = qc.post(url, {"reason": ""}, follow=True).content.decode()
    assert "few words why" in page
    page = qc.post(url, {"reason": "moved away"}, follow=True).content.decode()
    assert "can be planned again" in page


def test_unknown_ids_are_not_there(qc: Client) -> None:
    for url in ("/ops/batches/999/", "/ops/batches/99999999999999999999/"):
        assert qc.get(url).status_code == 404
    assert qc.post("/ops/rework/999/return/", {"counted": "1"}).status_code == 404
    assert qc.get("/ops/rework/1/return/").status_code == 405


@pytest.mark.parametrize("query", ["q=W-017", "q=B-1", "q=HP", "q=%00", "after=x",
                                   "after=WyJ4IiwgMV0=", "before=W10="])  # fmt: skip
def test_lists_bear_any_address(qc: Client, batch: Batch, query: str) -> None:
    for url in ("/ops/batches/", "/ops/rework/"):
        assert qc.get(f"{url}?state=all&{query}").status_code == 200


def test_what_waits_is_on_the_today_page(
    qc: Client, network: Network, graded: Inspection
) -> None:
    bring_in(network, 30)
    ReworkTicket.objects.update(due_on="2020-01-01")
    page = qc.get("/ops/").content.decode()
    assert "Batches to grade" in page
    assert "Rework overdue" in page


def test_lists_take_the_same_queries_for_one_and_three_rows(
    qc: Client, network: Network, defects: Defects, grader: User, actor: Actor
) -> None:
    urls = ("/ops/batches/", "/ops/batches/?state=all", "/ops/rework/", "/ops/")

    def another(workshop: int) -> None:
        bring_in(network, 40, workshop=network.horn[workshop])
        batch = bring_in(network, 40, workshop=network.horn[workshop])
        verdicts = [Verdict(Grade.AA, 30), Verdict(Grade.REWORK, 10, defects["crack"])]
        grade_batch(batch=batch, verdicts=verdicts, grader=grader, actor=actor)

    def queries() -> list[int]:
        counts = []
        for url in urls:
            with CaptureQueriesContext(connection) as caught:
                assert qc.get(url).status_code == 200
            counts.append(len(caught))
        return counts

    another(0)
    queries()
    one = queries()
    another(1)
    another(2)
    assert queries() == one


def test_a_page_takes_the_same_queries_for_3_and_300_pieces(
    qc: Client, network: Network, defects: Defects, grader: User, actor: Actor
) -> None:
    def queries(pieces: int) -> list[int]:
        batch = bring_in(network, pieces)
        counts = []
        third = pieces // 3
        for step in range(3):
            if step == 1:
                given = [
                    Verdict(Grade.AA, third),
                    Verdict(Grade.B, third, defects["scratch"]),
                    Verdict(Grade.REWORK, third, defects["crack"]),
                ]
                grade_batch(batch=batch, verdicts=given, grader=grader, actor=actor)
            url = page_of(batch) + ("labels/" if step == 2 else "")
            with CaptureQueriesContext(connection) as caught:
                assert qc.get(url).status_code == 200
            counts.append(len(caught))
        return counts

    queries(3)
    assert queries(3) == queries(300)
