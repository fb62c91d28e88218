"""Settings are read strictly, and nothing secret or personal reaches a log line."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from vrp import env
from vrp.logs import mask, redact
from vrp.settings import database_from

KEY = "VRP_TEST_VALUE"


def test_a_boolean_is_one_or_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.boolean(KEY, True) is True
    monkeypatch.setenv(KEY, "0")
    assert env.boolean(KEY, True) is False
    monkeypatch.setenv(KEY, "yes")
    with pytest.raises(ImproperlyConfigured, match=KEY):
        env.boolean(KEY, True)


@pytest.mark.parametrize("value", ["", "three", "0", "61", "3.5"])
def test_a_number_outside_its_bounds_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(KEY, value)
    with pytest.raises(ImproperlyConfigured, match=KEY):
        env.integer(KEY, 5, low=1, high=60)


def test_what_must_be_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match=KEY):
        env.secret(KEY)


def test_a_secret_may_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    monkeypatch.setenv(f"{KEY}_FILE", str(file))
    assert env.secret(KEY) == "s3cret"
    monkeypatch.setenv(KEY, "other")
    with pytest.raises(ImproperlyConfigured, match="not both"):
        env.secret(KEY)
    monkeypatch.delenv(KEY)
    monkeypatch.setenv(f"{KEY}_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(ImproperlyConfigured, match="_FILE"):
        env.secret(KEY)


def test_a_database_address_is_taken_apart() -> None:
    found = database_from("postgresql://me:a%20b@db:5433/vrp?sslmode=require")
    assert (found["USER"], found["PASSWORD"]) == ("me", "a b")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db", "5433", "vrp")
    assert found["OPTIONS"] == {"connect_timeout": 5, "sslmode": "require"}
    assert database_from("postgresql://vrp@/vrp?host=/run/pg")["HOST"] == "/run/pg"
    with pytest.raises(ImproperlyConfigured):
        database_from("mysql://db/vrp")


@pytest.mark.parametrize(
    "text",
    [
        "+254712345678",
        "254712345678",
        "0712345678",
        "712345678",
        "+254 712 345 678",
        "to=%2B254712345678&x",
        "+251911234567",
    ],
)
def test_phone_numbers_are_masked(text: str) -> None:
    masked = mask(f"sms {text} sent")
    assert "712345" not in masked.replace(" ", "")
    assert "911234" not in masked
    assert masked.endswith("sent")


@pytest.mark.parametrize(
    "text", ["order 4500123", "ms 1234567", "2026-11-22T11:02:03Z"]
)
def test_other_numbers_are_left(text: str) -> None:
    assert mask(text) == text


def test_secrets_never_reach_a_line() -> None:
    line = redact(
        None,
        "info",
        {
            "event": "call",
            "api_key": "abc",
            "password": "abc",
            "path": "/phone/12-abcdef/ussd",
            "headers": {"apiKey": "abc", "secret": "abc"},
            "phones": ["+254712345678"],
            "ms": 12,
        },
    )
    assert "abc" not in str(line)
    assert "712345" not in str(line)
    assert line["ms"] == 12


KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "path",
    [
        f"/phone/12-{KEY}/ussd",
        f"/phone//12-{KEY}/ussd",
        f"/Phone/12-{KEY}/ussd",
        f"/elsewhere/12-{KEY}",
        f"/pay/12-{KEY}/result",
        f"/ops/set-password/OQ/digaw6-{KEY}/",
        f"/foo/vrp_1_0a1b2c3d_{KEY}",
        f"key=vrp_1_0a1b2c3d_{KEY}",
    ],
)
def test_secrets_in_addresses_are_cut(path: str) -> None:
    line = redact(None, "info", {"event": "request", "path": path})
    assert KEY not in str(line)
