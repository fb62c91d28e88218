"""Two people, one batch, the same second: one inspection, one payable."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from orders.models import Job
from payments.models import Payable
from qc.models import Batch, Defect, Inspection, Item, ReworkTicket
from qc.services import grade_batch, return_rework
from tests.qc.steps import verdicts_of_c1
from vrp.accounts.models import User
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)
HANDS = 4


def at_once(tenant: Tenant, work):  # type: ignore[no-untyped-def]
    """Run ``work`` in several threads that start together; what each returned."""
    barrier = Barrier(HANDS)

    def run(_: int) -> int:
        try:
            with tenant_scope(tenant):
                barrier.wait(timeout=20)
                return work().pk
        finally:
            connection.close()

    with ThreadPoolExecutor(HANDS) as pool:
        return list(pool.map(run, range(HANDS)))


def test_a_double_click_makes_one_inspection(
    tenant: Tenant, batch: Batch, defects: dict[str, Defect], grader: User, actor: Actor
) -> None:
    given = verdicts_of_c1(defects)
    found = at_once(
        tenant,
        lambda: grade_batch(batch=batch, verdicts=given, grader=grader, actor=actor),
    )
    assert len(set(found)) == 1
    assert (Inspection.objects.count(), Item.objects.count()) == (1, 98)
    assert Payable.objects.count() == ReworkTicket.objects.count() == 1
    assert Job.objects.get(pk=batch.job_id).good == 92


def test_rework_taken_back_by_two_opens_one_batch(
    tenant: Tenant, batch: Batch, defects: dict[str, Defect], grader: User, actor: Actor
) -> None:
    grade_batch(
        batch=batch, verdicts=verdicts_of_c1(defects), grader=grader, actor=actor
    )
    ticket = ReworkTicket.objects.get()
    found = at_once(
        tenant, lambda: return_rework(ticket=ticket, counted=4, actor=actor)
    )
    assert len(set(found)) == 1
    assert Batch.objects.count() == 2
    assert sorted(ReworkTicket.objects.values_list("quantity", flat=True)) == [2, 4]
