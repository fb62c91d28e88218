"""The world is built once for each file of tests, in a transaction that is taken back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction

# The first is imported for what it declares.
from tests.isolation import rows  # noqa: F401
from tests.isolation.world import Side, build_side


@dataclass
class World:
    """``a`` is whose things are reached for; ``b`` is who reaches."""

    a: Side
    b: Side

    def __iter__(self) -> Iterator[Side]:
        return iter((self.a, self.b))


@pytest.fixture(scope="module")
def _built(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield World(build_side("Zqalpha", 9), build_side("Zqbravo", 8))
        connection.check_constraints()
        transaction.set_rollback(True)


@pytest.fixture
def world(_built: World, db: None) -> World:
    """Both tenants; what a test changes is undone."""
    return _built
