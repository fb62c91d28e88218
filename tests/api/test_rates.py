"""Rate limits: never more than allowed in any window, whoever asks from wherever."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from vrp import rates
from vrp.rates import Rate, address_of, take

SECOND = 1_800_000_000.0


@pytest.fixture
def who() -> str:
    """Somebody nobody has counted yet."""
    return uuid.uuid4().hex


def test_rates_are_read_strictly() -> None:
    assert Rate.parse("600/min") == Rate(600, 60)
    assert Rate.parse("5/15min") == Rate(5, 900)
    assert Rate.parse("1000/day") == Rate(1000, 86_400)
    for wrong in ("", "600", "0/min", "-1/min", "1/month", "5/0min", "1.5/s", "x/min"):
        with pytest.raises(ValueError, match="is not a rate"):
            Rate.parse(wrong)


def test_parallel_callers_never_get_more_than_there_is(who: str) -> None:
    def call(_: int) -> bool:
        return take("test", who, Rate(50, 60)).granted

    with ThreadPoolExecutor(16) as pool:
        granted = sum(pool.map(call, range(400)))
    assert granted == 50


def test_the_edge_of_a_window_gives_nothing_away(who: str) -> None:
    """The old fixed windows granted twice the rate around their border."""
    rate = Rate(10, 60)
    # Just before and just after a full minute of the clock.
    for at in (SECOND + 59.9, SECOND + 60.1):
        for _ in range(10):
            take("test", who, rate, now=at)
    assert not take("test", who, rate, now=SECOND + 60.2)
    assert not take("test", who, rate, now=SECOND + 59.9 + 59.9)
    assert take("test", who, rate, now=SECOND + 59.9 + 63.1)


def test_the_wait_is_long_enough_and_not_much_longer(who: str) -> None:
    rate = Rate(2, 60)
    take("test", who, rate, now=SECOND)
    take("test", who, rate, now=SECOND + 30)
    refused = take("test", who, rate, now=SECOND + 31)
    assert (refused.granted, refused.left) == (False, 0)
    assert 29 <= refused.wait_seconds <= 33
    assert refused.headers["Retry-After"] == str(refused.wait_seconds)
    assert take("test", who, rate, now=SECOND + 31 + refused.wait_seconds)


def test_a_refused_one_costs_nothing_and_a_look_neither(who: str) -> None:
    rate = Rate(2, 60)
    assert take("test", who, rate, cost=0, now=SECOND).left == 2
    assert take("test", who, rate, now=SECOND).left == 1
    assert take("test", who, rate, now=SECOND).left == 0
    assert not take("test", who, rate, cost=0, now=SECOND)
    for _ in range(100):
        assert not take("test", who, rate, now=SECOND + 50)
    assert take("test", who, rate, now=SECOND + 64)
    rates.forget("test", who)
    assert take("test", who, rate, now=SECOND + 64).left == 1


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_no_stretch_of_time_holds_more_than_the_limit(gaps: list[float]) -> None:
    rate, at, granted = Rate(5, 10), SECOND, []
    who = uuid.uuid4().hex
    for gap in gaps:
        at += gap
        if take("test", who, rate, now=at):
            granted.append(at)
    for index, first in enumerate(granted):
        # Redis is told whole milliseconds.
        inside = [one for one in granted[index:] if one < first + 10 - 0.001]
        assert len(inside) <= 5


def test_scopes_and_people_do_not_share(who: str) -> None:
    rate = Rate(1, 60)
    assert take("test", who, rate)
    assert take("test2", who, rate)
    assert take("test", who + "x", rate)
    assert not take("test", who, rate)


def test_without_redis_all_pass_and_are_counted(
    who: str, settings: Any, db: None
) -> None:
    good = settings.REDIS_URL
    before = rates.totals()[1].get("testaway", 0)
    settings.REDIS_URL = f"unix:///nowhere/{who}.sock"
    for _ in range(5):
        assert take("testaway", who, Rate(1, 60))
    settings.REDIS_URL = good
    assert take("testaway", who, Rate(1, 60)).left == 0
    assert not take("testaway", who, Rate(1, 60))
    refused, unchecked = rates.totals()
    assert unchecked["testaway"] - before == 5
    assert refused["testaway"] >= 1
    text = Client().get("/metrics").content.decode()
    assert 'vrp_rate_unchecked_total{scope="testaway"}' in text
    assert 'vrp_rate_limited_total{scope="testaway"}' in text


def test_a_server_that_is_away_is_not_asked_by_every_request(
    who: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = f"unix:///nowhere/{who}.sock"
    take("testaway", who, Rate(1, 60))
    asked: list[str] = []
    monkeypatch.setattr(rates, "_script", asked.append)
    take("testaway", who, Rate(1, 60))
    assert asked == []


@pytest.mark.parametrize(
    ("remote", "forwarded", "proxies", "expected"),
    [
        ("203.0.113.7", "1.1.1.1", 0, "203.0.113.7"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.7", 1, "203.0.113.7"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.7, 10.0.0.9", 2, "203.0.113.7"),
        ("10.0.0.1", "", 1, "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "", 0, "203.0.113.7"),
        ("", "", 0, ""),
    ],
)
def test_who_calls(
    remote: str, forwarded: str, proxies: int, expected: str, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get(
        "/", REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded}
    )
    assert address_of(request) == expected
