"""The world is built once for each file of tests, in a transaction that is taken back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction

from tests.isolation import rows  # noqa: F401
from tests.isolation.prints import Print, changes, fingerprint, written
from tests.isolation.world import Side, build_side


@dataclass
class World:
    """``a`` is whose things are reached for; ``b`` is who reaches."""

    a: Side
    b: Side
    built: Print = field(init=False)

    def __post_init__(self) -> None:
        self.built = self.fingerprint()

    def __iter__(self) -> Iterator[Side]:
        return iter((self.a, self.b))

    def fingerprint(self) -> Print:
        """Of both tenants and of what is nobody's."""
        return fingerprint(self.a.tenant, self.b.tenant)

    def changes(self, *, of: Side | None = None) -> list[str]:
        """What differs from the world as it was built; of one tenant only, if given."""
        found = changes(self.built, self.fingerprint())
        return [one for one in found if of is None or one.startswith(of.tenant.slug)]

    @contextmanager
    def unchanged(self, *, of: Side | None = None) -> Iterator[None]:
        """The block leaves every row (of one tenant, if given) as it was built."""
        before = written()
        yield
        if written() != before:
            assert self.changes(of=of) == []


@pytest.fixture(scope="module")
def _built(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield World(build_side("Zqalpha", 9), build_side("Zqbravo", 8))
        connection.check_constraints()
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _no_rates() -> None:
    """Guesses and calls of one test are not counted against the next."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()


@pytest.fixture
def world(_built: World, db: None) -> World:
    """Both tenants; what a test changes is undone."""
    return _built
