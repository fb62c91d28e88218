"""Guessing takes ever longer, from one place and from many, and tells nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.accounts.conftest import PASSWORD, is_in, knock
from tests.builders import Network
from vrp import settings as ours
from vrp.accounts import throttle
from vrp.accounts.clock import tidy_sign_ins
from vrp.accounts.enums import Role
from vrp.accounts.hashers import Argon2
from vrp.accounts.models import Tries, User
from vrp.accounts.throttle import ACCOUNT, ADDRESS, PLACE, MustWait
from vrp.accounts.visitor import COOKIE, Visitor
from vrp.events.models import Event

pytestmark = pytest.mark.django_db
Somebody = Callable[..., User]
Clock = time_machine.Traveller


def guess(client: Client, user: User | str, times: int, **more: Any) -> list[int]:
    return [knock(client, user, "wrong", **more).status_code for _ in range(times)]


def test_the_hash_is_argon2id_above_the_minimum() -> None:
    assert ours.PASSWORD_HASHERS[0] == "vrp.accounts.hashers.Argon2"
    made = Argon2().encode("x", "saltsaltsalt")
    assert made.startswith("argon2$argon2id$v=19$m=65536,t=3,p=4$")


def test_waits_grow_and_have_an_end() -> None:
    waits = [PLACE.wait_after(n).total_seconds() for n in range(4, 14)]
    assert waits == [0, 30, 60, 120, 240, 480, 900, 900, 900, 900]
    assert ACCOUNT.wait_after(10_000) == timedelta(seconds=900)


def test_five_are_free_then_one_waits_ever_longer(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    user, client = somebody(Role.QC), Client()
    assert guess(client, user, 5) == [200] * 5
    told = knock(client, user)  # the right one, too early
    assert told.status_code == 429
    assert told["Retry-After"] == "30"
    assert "Try again in 30 seconds, at 08:00:35" in told.content.decode()
    assert not is_in(client)
    clock.shift(29)
    assert knock(client, user).status_code == 429
    clock.shift(1)
    assert guess(client, user, 2) == [200, 429]
    clock.shift(59)
    assert guess(client, user, 1) == [429]
    clock.shift(1)
    assert knock(client, user).status_code == 302
    assert is_in(client)
    # All is forgotten by the right one.
    assert guess(Client(), user, 5) == [200] * 5


def test_asking_while_one_waits_does_not_lengthen_the_wait(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    user, client = somebody(Role.QC), Client()
    guess(client, user, 20)
    clock.shift(30)
    assert knock(client, user).status_code == 302


def test_an_account_that_does_not_exist_answers_the_same(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    def answers(name: str, address: str) -> list[tuple[int, str]]:
        found = []
        for _ in range(7):
            said = knock(Client(), name, "wrong", REMOTE_ADDR=address)
            text = said.content.decode().replace(name, "NAME")
            token = text.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
            text = text.replace(token, "").replace(said["X-Request-Id"], "")
            found.append((said.status_code, text))
        return found

    user = somebody(Role.QC)
    off = somebody(Role.QC, name="left")
    off.is_active = False
    off.save()
    known = answers(user.username, "198.51.100.1")
    assert known == answers("nobody-at-all", "198.51.100.2")
    assert known == answers(off.username, "198.51.100.3")
    assert [status for status, _ in known] == [200] * 5 + [429] * 2


def test_it_hashes_and_asks_the_database_as_often_for_nobody(
    network: Network, somebody: Somebody, monkeypatch: Any
) -> None:
    hashed: list[str] = []
    plain = MD5PasswordHasher.encode

    def counting(self: Any, password: str, salt: str) -> str:
        hashed.append(password)
        return plain(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    user, costs = somebody(Role.QC), []
    for name in (user.username, "nobody-at-all"):
        hashed.clear()
        with CaptureQueriesContext(connection) as asked:
            knock(Client(), name, "wrong")
        costs.append((len(hashed), len(asked)))
    assert costs[0] == costs[1]
    assert costs[0][0] == 1


def test_guesses_from_many_addresses_lock_the_account_for_a_while(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    user = somebody(Role.QC)
    home = Client()
    assert knock(home, user).status_code == 302
    home.post("/ops/sign-out/")
    for n in range(ACCOUNT.free):
        knock(Client(), user, "wrong", REMOTE_ADDR=f"198.51.100.{n}")
    stranger = knock(Client(), user, REMOTE_ADDR="203.0.113.9")
    assert stranger.status_code == 429

    # Where she has signed in before, she comes in meanwhile.
    assert knock(home, user).status_code == 302
    # But a forged cookie is none.
    forged = Client()
    forged.cookies[COOKIE] = home.cookies[COOKIE].value[:-3] + "abc"
    assert knock(forged, user, REMOTE_ADDR="203.0.113.9").status_code == 429
    # And on a known device too, guesses are counted.
    home.post("/ops/sign-out/")
    assert guess(home, user, 6) == [200] * 5 + [429]
    # Elsewhere the wait ends by itself.
    clock.shift(60)
    assert knock(Client(), user, REMOTE_ADDR="203.0.113.9").status_code == 302


def test_one_device_cookie_opens_no_other_account(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    mine, hers = somebody(Role.QC, name="me"), somebody(Role.QC, name="her")
    client = Client()
    knock(client, mine)
    client.post("/ops/sign-out/")
    for n in range(ACCOUNT.free):
        knock(Client(), hers, "wrong", REMOTE_ADDR=f"198.51.100.{n}")
    assert knock(client, hers).status_code == 429


def test_one_address_guesses_at_many_accounts_in_vain(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    user, mine = somebody(Role.QC), somebody(Role.QC, name="mine")
    for n in range(ADDRESS.free):
        if n % 10 == 0:  # an account of one's own does not wipe the slate
            assert knock(Client(), mine).status_code == 302
        knock(Client(), f"name-{n}", "wrong")
    assert knock(Client(), user).status_code == 429
    assert knock(Client(), user, REMOTE_ADDR="203.0.113.9").status_code == 302


def test_a_lock_is_put_on_record_without_what_was_typed(
    network: Network, somebody: Somebody, clock: Clock, caplog: Any
) -> None:
    user = somebody(Role.QC)
    guess(Client(), user, 4)
    knock(Client(), user, "my-real-secret-with-a-typo")
    knock(Client(), "typed-the-password-as-name", "x")
    tidy_sign_ins()
    tidy_sign_ins()
    event = Event.objects.get(name="sign_in.locked")
    assert (event.subject_id, event.data) == (user.pk, {"failed": 5})
    assert "sign_in.failed" in caplog.text
    for secret in ("my-real-secret", "typed-the-password", PASSWORD):
        assert secret not in caplog.text
        assert not Event.objects.filter(data__icontains=secret).exists()
        assert secret not in str(list(Tries.objects.values_list()))


def test_old_failures_are_forgotten(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    user = somebody(Role.QC)
    guess(Client(), user, 4)
    clock.shift(PLACE.forget + 1)
    assert guess(Client(), user, 5) == [200] * 5
    clock.shift(3 * 86_400)
    tidy_sign_ins()
    assert not Tries.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_once_are_no_more_than_the_limit() -> None:
    keys = throttle.for_password("amina", None, Visitor(ip="198.51.100.1"))

    def one(_: int) -> bool:
        try:
            throttle.take(keys)
            return True
        except MustWait:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as crowd:
        passed = list(crowd.map(one, range(20)))
    assert sum(passed) == PLACE.free
