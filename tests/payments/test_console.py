"""The money pages: who sees and does what, what they say, and how many queries."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from payments.console.words import read_total
from payments.enums import PayoutState, RunState
from payments.models import (
    Account,
    Payable,
    PayoutRun,
    StatusQuery,
    WalletCallback,
    WalletCredential,
)
from payments.queries import order_pay
from payments.services.results import take_result
from payments.services.settling import lock_payout, mark_review, mark_unknown
from payments.services.wallet import stop_channel
from tests.builders import SYSTEM, Network, build_user, build_workshop
from tests.payments.conftest import approved, now_made_by, run_of
from tests.payments.test_callbacks import result
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.errors import Invalid
from vrp.events import outbox
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
MAKER, CHECKER = Role.FINANCE_MAKER, Role.FINANCE_CHECKER


def text(answer: HttpResponse) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def as_maker(maker: User) -> Client:
    client = Client()
    client.force_login(maker)
    return client


@pytest.fixture
def as_checker(checker: User) -> Client:
    client = Client()
    client.force_login(checker)
    return client


def test_from_owed_to_approved(
    graded: Callable[..., Payable],
    network: Network,
    as_maker: Client,
    as_checker: Client,
) -> None:
    graded(92)
    graded(558, network.horn[1])
    owed = text(as_maker.get("/ops/payouts/"))
    assert "KES 51,520" in owed
    assert "KES 312,480" in owed
    assert "Workshops to pay" in text(as_maker.get("/ops/"))
    preview = text(as_maker.get("/ops/payouts/new/"))
    assert "KES 250,000" in preview
    assert "KES 62,480" in preview
    made = as_maker.post("/ops/payouts/new/")
    run = PayoutRun.objects.get()
    assert made.url == f"/ops/payouts/{run.pk}/"
    assert "Another person has to approve" not in text(as_checker.get(made.url))
    assert "Runs to approve" in text(as_checker.get("/ops/"))
    wrong = as_checker.post(f"{made.url}approve/", {"total": "1"})
    assert wrong.status_code == 422
    assert "not the total" in text(wrong)
    done = as_checker.post(f"{made.url}approve/", {"total": "KES 364,000.00"})
    assert done.status_code == 302
    run.refresh_from_db()
    assert run.state == RunState.APPROVED
    assert "Runs to approve" not in text(as_checker.get("/ops/"))


def test_the_boxes_choose_and_a_stale_page_is_refused(
    graded: Callable[..., Payable], network: Network, as_maker: Client
) -> None:
    first, second = graded(30), graded(31, network.horn[1])
    one, two = (f"{row.workshop_id}:{row.amount_minor}" for row in (first, second))
    none = as_maker.post("/ops/payouts/new/", {"chosen": "1"})
    assert none.status_code == 422
    stale = as_maker.post(
        "/ops/payouts/new/", {"chosen": "1", "workshop": f"{first.workshop_id}:100"}
    )
    assert stale.status_code == 422
    assert "changed" in text(stale)
    for bad in ("x", "1:x", "9" * 30, "-1", f"{first.workshop_id}:-5"):
        answer = as_maker.post("/ops/payouts/new/", {"workshop": bad})
        assert answer.status_code == 422, bad
    for bad in (
        "soon",
        "2026-W47-1",
        "20261117",
        "2026-1-7",
        "٢٠٢٦-١١-١٧",
        "2026-02-30",
    ):
        answer = as_maker.post("/ops/payouts/new/", {"up_to": bad})
        assert answer.status_code == 422, bad
        assert as_maker.get("/ops/payouts/new/", {"up_to": bad}).status_code == 422
    assert PayoutRun.objects.count() == 0
    as_maker.post("/ops/payouts/new/", {"chosen": "1", "workshop": [two]})
    assert PayoutRun.objects.get().total_minor == second.amount_minor
    as_maker.post("/ops/payouts/new/", {"workshop": [one]})
    assert PayoutRun.objects.count() == 2


def test_the_maker_cannot_approve_even_with_both_roles(
    tenant: Tenant,
    graded: Callable[..., Payable],
    signed_in: Callable[..., Client],
) -> None:
    graded(30)
    both = signed_in(MAKER, CHECKER, name="both")
    both.post("/ops/payouts/new/")
    run = PayoutRun.objects.get()
    page = text(both.get(f"/ops/payouts/{run.pk}/"))
    assert "Another person has to approve it" in page
    assert 'name="total"' not in page
    answer = both.post(f"/ops/payouts/{run.pk}/approve/", {"total": "16800"})
    assert answer.status_code == 403
    run.refresh_from_db()
    assert run.state == RunState.DRAFT


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PLANNER, Role.QC, Role.ADMIN])
def test_others_look_and_touch_nothing(
    role: Role,
    tenant: Tenant,
    graded: Callable[..., Payable],
    maker: User,
    signed_in: Callable[..., Client],
) -> None:
    graded(30)
    run = run_of(tenant, maker)
    payout = run.payouts.get()
    client = signed_in(role, name="looks")
    base = f"/ops/payouts/{run.pk}/"
    for path in ("/ops/payouts/", base, f"{base}payouts/{payout.pk}/", "/ops/ledger/"):
        page = client.get(path)
        assert page.status_code == 200
        assert "Approve and pay" not in text(page)
        assert "Cancel the run" not in text(page)
    assert client.get("/ops/payouts/new/").status_code == 403
    for path in (
        "/ops/payouts/new/",
        f"{base}approve/",
        f"{base}cancel/",
        f"{base}payouts/{payout.pk}/query/",
        f"{base}payouts/{payout.pk}/not-paid/",
        "/ops/payouts/channel/start/",
    ):
        assert client.post(path, {"total": "16800"}).status_code == 403
    run.refresh_from_db()
    assert run.state == RunState.DRAFT


def test_another_tenant_finds_nothing(
    tenant: Tenant,
    other_tenant: Tenant,
    graded: Callable[..., Payable],
    maker: User,
    checker: User,
) -> None:
    graded(30)
    run = run_of(tenant, maker)
    payout, account = run.payouts.get(), Account.objects.first()
    stranger = Client()
    with tenant_scope(other_tenant):
        stranger.force_login(build_user(other_tenant, "f", MAKER, CHECKER))
    base = f"/ops/payouts/{run.pk}/"
    for path in (base, f"{base}progress/", f"{base}payouts/{payout.pk}/",
                 f"/ops/ledger/{account.pk}/"):  # fmt: skip
        assert stranger.get(path).status_code == 404
    one = f"payouts/{payout.pk}/"
    for path in ("approve/", "cancel/", f"{one}query/", f"{one}not-paid/"):
        assert stranger.post(base + path, {"total": "16800"}).status_code == 404
    assert "W-017" not in text(stranger.get("/ops/payouts/"))
    run.refresh_from_db()
    assert run.state == RunState.DRAFT


def test_unknown_is_shown_and_asked(
    tenant: Tenant,
    graded: Callable[..., Payable],
    maker: User,
    checker: User,
    as_maker: Client,
) -> None:
    graded(30)
    run = approved(tenant, maker, checker)
    payout = run.payouts.get()
    path = f"/ops/payouts/{run.pk}/payouts/{payout.pk}/"
    as_maker.post(f"{path}query/")
    assert StatusQuery.objects.count() == 0, "nothing to ask before it is sent"
    outbox.claim(outbox._outboxes["payout"], payout.pk)
    mark_unknown(lock_payout(payout.pk), why="No answer.", actor=SYSTEM)
    assert "Payments unknown" in text(as_maker.get("/ops/"))
    assert "Ask the wallet now" in text(as_maker.get(path))
    assert "nobody sends it again" in text(as_maker.get(f"/ops/payouts/{run.pk}/"))
    as_maker.post(f"{path}query/")
    as_maker.post(f"{path}query/")
    assert StatusQuery.objects.filter(asked_by=maker).count() == 1
    payout.refresh_from_db()
    assert payout.state == PayoutState.UNKNOWN


def test_a_checker_declares_a_payment_not_paid(
    tenant: Tenant,
    graded: Callable[..., Payable],
    maker: User,
    checker: User,
    as_maker: Client,
    as_checker: Client,
    signed_in: Callable[..., Client],
) -> None:
    graded(30)
    run = approved(tenant, maker, checker)
    payout = run.payouts.get()
    path = f"/ops/payouts/{run.pk}/payouts/{payout.pk}/"
    outbox.claim(outbox._outboxes["payout"], payout.pk)
    mark_unknown(lock_payout(payout.pk), why="No answer.", actor=SYSTEM)
    assert "Declare it not paid" not in text(as_checker.get(path))
    as_checker.post(f"{path}not-paid/", {"note": "x"})
    payout.refresh_from_db()
    assert payout.state == PayoutState.UNKNOWN
    mark_review(lock_payout(payout.pk), why="Not decided.", actor=SYSTEM)
    auditor = signed_in(Role.AUDITOR, name="auditor")
    for client in (as_maker, auditor):
        page = text(client.get(path))
        assert "Declare it not paid" not in page
        assert "a finance checker other than" in page
        assert client.post(f"{path}not-paid/", {"note": "x"}).status_code == 403
    both = signed_in(MAKER, CHECKER, name="both")
    now_made_by(both.get("/ops/").wsgi_request.user)
    assert "You made this run" in text(both.get(path))
    assert both.post(f"{path}not-paid/", {"note": "x"}).status_code == 403
    page = text(as_checker.get(path))
    assert "is owed to W-017 again at once" in page
    empty = as_checker.post(f"{path}not-paid/", {"note": " "})
    assert empty.status_code == 422
    assert "Write down what shows that it was not paid." in text(empty)
    payout.refresh_from_db()
    assert payout.state == PayoutState.REVIEW
    done = as_checker.post(f"{path}not-paid/", {"note": "Not in the statement."})
    assert done.status_code == 302
    page = text(as_checker.get(path))
    assert "Not paid: declared not paid by" in page
    assert "Not in the statement." in page
    assert "Declare it not paid" not in page
    run.refresh_from_db()
    assert run.state == RunState.DONE


def test_progress_asks_for_the_page_once_the_run_ends(
    tenant: Tenant,
    graded: Callable[..., Payable],
    maker: User,
    checker: User,
    as_maker: Client,
) -> None:
    graded(30)
    run = approved(tenant, maker, checker)
    path = f"/ops/payouts/{run.pk}/progress/"
    assert "data-refresh-url" in text(as_maker.get(f"/ops/payouts/{run.pk}/"))
    assert "X-Refresh-Done" not in as_maker.get(path)
    payout = run.payouts.get()
    outbox.claim(outbox._outboxes["payout"], payout.pk)
    body = json.dumps(result(str(payout.originator_id))).encode()
    take_result(tenant=tenant, body=body)
    assert as_maker.get(path)["X-Refresh-Done"] == "page"
    assert "data-refresh-url" not in text(as_maker.get(f"/ops/payouts/{run.pk}/"))
    page = text(as_maker.get(f"/ops/payouts/{run.pk}/payouts/{payout.pk}/"))
    assert "NLJ41HAY6Q" in page
    assert "/ops/batches/" in page
    assert "/ops/jobs/" in page


def test_a_contradiction_waits_for_a_note(
    tenant: Tenant, network: Network, credential: WalletCredential, as_maker: Client
) -> None:
    row = WalletCallback.objects.create(
        tenant=tenant, kind="result", body="{}", fingerprint="x",
        effect="another receipt", is_conflict=True,
    )  # fmt: skip
    assert "Contradictions" in text(as_maker.get("/ops/"))
    path = f"/ops/payouts/conflicts/{row.pk}/clear/"
    as_maker.post(path, {"note": " "})
    assert WalletCallback.objects.get().is_conflict
    as_maker.post(path, {"note": "The statement shows one payment."})
    assert not WalletCallback.objects.get().is_conflict


def test_a_stopped_channel_says_so_and_is_started_by_name(
    tenant: Tenant, credential: WalletCredential, as_maker: Client, as_checker: Client
) -> None:
    stop_channel(tenant=tenant, code="8006", reason="locked", actor=SYSTEM)
    assert "Payout channel is stopped" in text(as_maker.get("/ops/"))
    assert "locked" in text(as_maker.get("/ops/payouts/"))
    assert as_checker.post("/ops/payouts/channel/start/").status_code == 403
    as_maker.post("/ops/payouts/channel/start/")
    credential.refresh_from_db()
    assert not credential.is_stopped


def test_ledger_pages(
    graded: Callable[..., Payable], network: Network, as_maker: Client
) -> None:
    graded(92)
    page = text(as_maker.get("/ops/ledger/"))
    assert "The books agree" in page
    assert "KES 51,520.00" in page
    owed = Account.objects.get(workshop=network.horn[0])
    statement = text(as_maker.get(f"/ops/ledger/{owed.pk}/"))
    assert "92 accepted" in statement
    assert "/ops/batches/" in statement
    assert as_maker.get("/ops/ledger/999999/").status_code == 404


@pytest.mark.parametrize(
    ("typed", "minor"),
    [("93,560", 9_356_000), ("KES 93560.00", 9_356_000), (" 1.5 ", 150), ("0.05", 5)],
)
def test_totals_as_people_type_them(typed: str, minor: int) -> None:
    assert read_total(typed) == minor


@pytest.mark.parametrize(
    "typed", ["", "x", "-5", "1e5", "1.234", "٣", "9" * 40, "1.2.3"]
)
def test_totals_that_are_none(typed: str) -> None:
    with pytest.raises(Invalid):
        read_total(typed)


def test_what_an_order_earned(graded: Callable[..., Payable]) -> None:
    payable = graded(30)
    order = payable.inspection.batch.job.work_order.line.order
    pay = order_pay(order)
    assert (pay.earned_minor, pay.paid_minor, pay.pieces) == (30 * 56_000, 0, 30)


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(path).status_code == 200
    return len(caught)


def test_query_counts_do_not_grow_with_rows(
    tenant: Tenant,
    network: Network,
    graded: Callable[..., Payable],
    maker: User,
    checker: User,
    as_maker: Client,
) -> None:
    shops = network.horn + [
        build_workshop(tenant, network.area, number, network.pendant.skill)
        for number in (61, 62, 63)
    ]
    network.horn = shops

    def measure(run: PayoutRun) -> dict[str, Any]:
        payout, account = run.payouts.first(), Account.objects.first()
        paths = {
            "owed": "/ops/payouts/",
            "runs": "/ops/payouts/?view=runs",
            "payments": "/ops/payouts/?view=payments",
            "new": "/ops/payouts/new/",
            "run": f"/ops/payouts/{run.pk}/",
            "payout": f"/ops/payouts/{run.pk}/payouts/{payout.pk}/",
            "ledger": "/ops/ledger/",
            "statement": f"/ops/ledger/{account.pk}/",
        }
        return {name: queries(as_maker, path) for name, path in paths.items()}

    graded(30, shops[0])
    first = approved(tenant, maker, checker)
    graded(30, shops[1])
    few = measure(first)
    for shop in (*shops[2:5], shops[2]):
        graded(30, shop)
    second = approved(tenant, maker, checker)
    graded(30, shops[3])
    graded(30, shops[4])
    run_of(tenant, maker, workshop_ids=[shops[3].pk])
    graded(30, shops[5])
    many = measure(second)
    assert many == few
    assert max(many.values()) <= 22
