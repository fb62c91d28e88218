"""A person who clicks while PostgreSQL restarts gets a page that says so."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def database_away() -> Iterator[None]:
    """Nobody listens where the database should be."""
    settings = connection.settings_dict
    host = settings["HOST"]
    connection.close()
    settings["HOST"] = "/nowhere"
    yield
    connection.close()
    settings["HOST"] = host


@pytest.mark.parametrize("path", ["/ops/", "/ops/orders/", "/ops/sign-in/"])
def test_the_page_says_wait_and_try_again(database_away: None, path: str) -> None:
    client = Client(raise_request_exception=False)
    client.cookies["vrp_session"] = "a" * 32
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert b"Back in a moment" in answer.content
