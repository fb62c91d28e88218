"""The metrics name every tenant, so they are for monitoring only."""

from typing import Any

import pytest
from django.test import Client

from tests.isolation.conftest import World


@pytest.mark.parametrize(
    ("near", "sent"),
    [
        ("203.0.113.9", {}),
        ("", {}),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}),
        ("127.0.0.1", {"X-Real-Ip": "203.0.113.9"}),
    ],
)
def test_who_comes_from_elsewhere_is_refused(
    world: World, near: str, sent: dict[str, str]
) -> None:
    answer = Client(REMOTE_ADDR=near).get("/metrics", headers=sent)
    assert answer.status_code == 403
    assert world.a.tenant.slug not in answer.content.decode()


def test_this_machine_may_ask(world: World) -> None:
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    assert f'tenant="{world.a.tenant.slug}"' in answer.content.decode()


def test_with_a_token_only_the_token_opens(world: World, settings: Any) -> None:
    settings.METRICS_TOKEN = "a-long-token"
    for sent in ("", "Bearer ", "Bearer a-long-toke", "a-long-token"):
        answer = Client().get("/metrics", headers={"authorization": sent})
        assert answer.status_code == 403, sent
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    right = {"authorization": "Bearer a-long-token", "X-Forwarded-For": "1.2.3.4"}
    assert elsewhere.get("/metrics", headers=right).status_code == 200
