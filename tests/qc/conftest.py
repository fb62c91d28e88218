"""A grader, the usual defects, and batches as they come in by delivery."""

from collections.abc import Callable

import pytest

from qc.models import Batch, Defect
from qc.services import ensure_default_defects
from tests.builders import Network
from tests.qc.steps import bring_in
from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.events.services import Actor
from vrp.tenancy.models import Tenant


@pytest.fixture
def grader(person: Callable[..., User]) -> User:
    return person(Role.QC, name="Achieng")


@pytest.fixture
def actor(grader: User) -> Actor:
    return Actor.user(grader)


@pytest.fixture
def defects(tenant: Tenant) -> dict[str, Defect]:
    return {defect.code: defect for defect in ensure_default_defects(tenant=tenant)}


@pytest.fixture
def batch(network: Network, defects: dict[str, Defect]) -> Batch:
    """98 of 100 horn pendants from W-017."""
    return bring_in(network, 100, counted=98)
