"""The ledger's laws: balanced, append-only, each cause once; kept by the database too."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction

from payments.enums import AccountKind
from payments.models import Account, Entry, Payable, Posting
from payments.queries import balance, owed_to, statement, trial_balance
from payments.services.ledger import (
    NewEntry,
    account,
    post_entries,
    post_entry,
    reverse_entry,
)
from payments.services.payables import post_payable
from qc.models import Batch
from tests.builders import SYSTEM, Network
from tests.payments.conftest import grade
from vrp.errors import Conflict, Invalid
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def cost(tenant: Tenant) -> Account:
    return account(tenant, AccountKind.PIECE_WORK, "KES")


@pytest.fixture
def wallet(tenant: Tenant) -> Account:
    return account(tenant, AccountKind.WALLET, "KES")


def post(tenant: Tenant, cause: str, *legs: tuple[Account, int]) -> Entry:
    return post_entry(
        tenant=tenant, cause=cause, memo="test", legs=list(legs), currency="KES"
    )


def test_an_entry_and_its_reversal(
    tenant: Tenant, cost: Account, wallet: Account
) -> None:
    entry = post(tenant, "x:1", (cost, 500), (wallet, -500))
    assert (balance(cost), balance(wallet)) == (500, -500)
    back = reverse_entry(entry=entry, cause="x:1:back", memo="wrong")
    assert back.reverses == entry
    assert (balance(cost), balance(wallet)) == (0, 0)
    assert reverse_entry(entry=entry, cause="x:1:back", memo="wrong") == back
    with pytest.raises(Conflict):
        reverse_entry(entry=entry, cause="x:1:again", memo="wrong")


def test_the_same_cause_again(tenant: Tenant, cost: Account, wallet: Account) -> None:
    entry = post(tenant, "x:1", (cost, 500), (wallet, -500))
    assert post(tenant, "x:1", (wallet, -500), (cost, 500)) == entry
    with pytest.raises(Conflict):
        post(tenant, "x:1", (cost, 501), (wallet, -501))
    assert Posting.objects.count() == 2


def test_legs_that_are_refused(
    tenant: Tenant, other_tenant: Tenant, cost: Account, wallet: Account
) -> None:
    with tenant_scope(other_tenant):
        theirs = account(other_tenant, AccountKind.WALLET, "KES")
    dollars = account(tenant, AccountKind.WALLET, "USD")
    for legs in (
        [(cost, 500)],
        [(cost, 500), (wallet, -499)],
        [(cost, 0), (wallet, 0)],
        [(cost, 5.0), (wallet, -5.0)],
        [(cost, True), (wallet, -1)],
        [(cost, 500), (dollars, -500)],
        [(cost, 500), (theirs, -500)],
    ):
        with pytest.raises(Invalid):
            post(tenant, "x:1", *legs)  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        post_entries(
            tenant=tenant, currency="KES", wanted=[NewEntry("x:1", "x", [(cost, 1)])]
        )
    assert Entry.objects.count() == 0


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE payments_posting SET amount_minor = amount_minor + 1",
        "DELETE FROM payments_posting",
        "UPDATE payments_entry SET memo = 'nicer'",
        "DELETE FROM payments_entry",
    ],
)
def test_the_database_refuses_changes(
    sql: str, tenant: Tenant, cost: Account, wallet: Account
) -> None:
    post(tenant, "x:1", (cost, 500), (wallet, -500))
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def test_the_database_refuses_an_unbalanced_entry(
    tenant: Tenant, cost: Account, wallet: Account
) -> None:
    entry = post(tenant, "x:1", (cost, 500), (wallet, -500))
    connection.check_constraints()

    @transaction.atomic
    def one_leg_more() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO payments_posting"
                " (tenant_id, entry_id, account_id, amount_minor, currency)"
                " VALUES (%s, %s, %s, 7, 'KES')",
                [tenant.pk, entry.pk, cost.pk],
            )
        connection.check_constraints()

    @transaction.atomic
    def no_legs() -> None:
        Entry.objects.create(tenant=tenant, cause="x:2", memo="")
        connection.check_constraints()

    with pytest.raises(DatabaseError, match="off by 7 KES"):
        one_leg_more()
    with pytest.raises(DatabaseError, match="no postings"):
        no_legs()
    assert balance(cost) == 500


@pytest.fixture
def kept_entry(
    transactional_db: None, tenant: Tenant, cost: Account, wallet: Account
) -> Entry:
    """An entry whose transaction has ended."""
    return post(tenant, "x:1", (cost, 500), (wallet, -500))


@transaction.atomic
def add_legs(entry: Entry, *accounts: Account, before: str = "SELECT 1") -> None:
    """A balanced pair for an entry, as anybody with SQL would add it."""
    with connection.cursor() as cursor:
        cursor.execute(before)
        for to, minor in zip(accounts, (7, -7), strict=True):
            cursor.execute(
                "INSERT INTO payments_posting"
                " (tenant_id, entry_id, account_id, amount_minor, currency)"
                " VALUES (%s, %s, %s, %s, 'KES')",
                [entry.tenant_id, entry.pk, to.pk, minor],
            )


@pytest.mark.parametrize(
    "before",
    ["SELECT 1", "SAVEPOINT a", "CREATE TEMP TABLE payments_entry (i int)"],
)
def test_no_posting_joins_an_entry_of_the_past(
    kept_entry: Entry, cost: Account, wallet: Account, before: str
) -> None:
    with pytest.raises(DatabaseError, match="is closed"):
        add_legs(kept_entry, cost, wallet, before=before)
    assert (balance(cost), balance(wallet)) == (500, -500)


def test_postings_join_an_entry_of_their_own_transaction(
    kept_entry: Entry, cost: Account, wallet: Account
) -> None:
    """Whatever savepoints lie around the two."""
    with transaction.atomic():
        with transaction.atomic(), transaction.atomic():
            entry = post(kept_entry.tenant, "x:2", (cost, 1), (wallet, -1))
        with transaction.atomic():
            add_legs(entry, cost, wallet)
        add_legs(entry, cost, wallet)
    assert (balance(cost), balance(wallet)) == (515, -515)


def test_a_table_of_ones_own_does_not_stand_in_for_the_ledger(
    kept_entry: Entry, cost: Account
) -> None:
    @transaction.atomic
    def fool() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMP TABLE payments_posting ON COMMIT DROP AS"
                " SELECT * FROM public.payments_posting"
            )
            entry = Entry.objects.create(tenant=kept_entry.tenant, cause="x:3", memo="")
            for table, minor in (("pg_temp", 3), ("pg_temp", -3), ("public", 3)):
                cursor.execute(
                    f"INSERT INTO {table}.payments_posting"
                    " (tenant_id, entry_id, account_id, amount_minor, currency)"
                    " VALUES (%s, %s, %s, %s, 'KES')",
                    [kept_entry.tenant_id, entry.pk, cost.pk, minor],
                )

    with pytest.raises(DatabaseError, match="off by 3 KES"):
        fool()
    assert balance(cost) == 500


def test_grading_owes_in_the_same_transaction(network: Network) -> None:
    batch = grade(network, 98, good=92)
    payable = Payable.objects.get(inspection__batch=batch)
    assert (payable.items, payable.amount_minor) == (92, 5_152_000)
    assert owed_to(network.horn[0]) == 5_152_000
    assert post_payable(inspection=batch.inspection, actor=SYSTEM) == payable
    assert Entry.objects.count() == 1


def test_nothing_accepted_owes_nothing(network: Network) -> None:
    grade(network, 30, good=0)
    assert Payable.objects.count() == 0
    assert owed_to(network.horn[0]) == 0


def test_a_failing_subscriber_takes_the_grading_with_it(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("ledger away")

    monkeypatch.setattr("payments.subscribers.post_payable", broken)
    with pytest.raises(RuntimeError), transaction.atomic():
        grade(network, 30)
    assert not Batch.objects.filter(state="graded").exists()


def test_statement_and_trial_balance(
    network: Network, graded: Callable[..., Payable]
) -> None:
    for pieces in (30, 31, 32):
        graded(pieces)
    owed = Account.objects.get(kind=AccountKind.WORKSHOP)
    postings = list(Posting.objects.filter(account=owed).order_by("-id"))
    rows = statement(owed, postings[1:])
    assert [row.balance_minor for row in rows] == [-61 * 56_000, -30 * 56_000]
    trial = trial_balance()
    assert trial.off == {}
    assert {row.kind: row.balance_minor for row in trial.rows} == {
        AccountKind.PIECE_WORK: 93 * 56_000,
        AccountKind.WORKSHOP: -93 * 56_000,
    }
    assert trial.totals == [("KES", 93 * 56_000, 93 * 56_000)]
