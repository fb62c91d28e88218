"""One admin alone, with a person she invented, is not two people."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from payments.enums import RunState
from payments.models import Payable
from payments.services.apart import APART_DAYS, check_apart
from payments.services.declaring import declare_not_paid
from payments.services.found import note_found
from payments.services.runs import approve_run
from tests.builders import SYSTEM, Network
from tests.payments.conftest import run_of
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.accounts.services import grant_role, people
from vrp.errors import NotAllowed
from vrp.events.pausing import pause_after_restore
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(person: Callable[..., User]) -> User:
    return person(Role.ADMIN, Role.FINANCE_MAKER, name="amina")


@pytest.fixture
def invented(tenant: Tenant, admin: User) -> User:
    return people.invite(
        tenant=tenant,
        username="nobody-else",
        first_name="No",
        last_name="Body",
        role=Role.FINANCE_CHECKER,
        actor=Actor.user(admin),
    )


def test_an_admin_and_her_invention_cannot_pay(
    tenant: Tenant,
    network: Network,
    graded: Callable[..., Payable],
    admin: User,
    invented: User,
    checker: User,
) -> None:
    graded(40)
    run = run_of(tenant, admin)

    def approve(by: User) -> None:
        total, actor = run.total_minor, Actor.user(by)
        approve_run(run=run, approver=by, total_minor=total, actor=actor)

    with pytest.raises(NotAllowed, match="two people"):
        approve(invented)
    run.refresh_from_db()
    assert run.state == RunState.DRAFT

    payout = run.payouts.get()
    with pytest.raises(NotAllowed, match="two people"):
        declare_not_paid(payout=payout, user=invented, note="x", actor=SYSTEM)

    pause_after_restore(tenant=tenant, reason="restored", actor=SYSTEM)
    with pytest.raises(NotAllowed, match="two people"):
        note_found(
            tenant=tenant,
            workshop=network.horn[0],
            amount_minor=1_000,
            receipt="TKT7ABCDE1",
            found_by=admin,
            checked_by=invented,
            actor=SYSTEM,
        )
    approve(checker)
    run.refresh_from_db()
    assert run.state == RunState.APPROVED


def test_it_holds_in_both_directions_and_for_a_week(
    tenant: Tenant, admin: User, invented: User, checker: User
) -> None:
    for pair in ((admin, invented), (invented, admin)):
        with pytest.raises(NotAllowed):
            check_apart(tenant, *pair)
    check_apart(tenant, admin, checker)
    week = timezone.now() + timedelta(days=APART_DAYS)
    with time_machine.travel(week - timedelta(minutes=1)), pytest.raises(NotAllowed):
        check_apart(tenant, admin, invented)
    with time_machine.travel(week + timedelta(minutes=1)):
        check_apart(tenant, admin, invented)


@pytest.mark.parametrize("what", ["role", "password", "switch", "factor"])
def test_whoever_could_come_in_as_the_other_one(
    tenant: Tenant, admin: User, checker: User, what: str
) -> None:
    from tests.accounts.conftest import enrol

    if what == "role":
        role, actor = Role.FINANCE_CHECKER, Actor.user(admin)
        grant_role(tenant=tenant, user=checker, role=role, actor=actor)
    elif what == "password":
        people.reset_password(tenant=tenant, user=checker, by=admin)
    elif what == "switch":
        people.switch(tenant=tenant, user=checker, on=False, by=admin)
        people.switch(tenant=tenant, user=checker, on=True, by=admin)
    else:
        enrol(checker)
        people.reset_second_factor(tenant=tenant, user=checker, by=admin)
    with pytest.raises(NotAllowed):
        check_apart(tenant, admin, checker)


def test_other_roles_and_other_givers_do_not_matter(
    tenant: Tenant, admin: User, checker: User, person: Callable[..., User]
) -> None:
    other = Actor.user(person(Role.ADMIN, name="other"))
    grant_role(tenant=tenant, user=checker, role=Role.QC, actor=Actor.user(admin))
    grant_role(tenant=tenant, user=checker, role=Role.FINANCE_CHECKER, actor=other)
    check_apart(tenant, admin, checker)
