"""People with passwords and apps. Hashing is quick here; one test looks at the real one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest
import time_machine
from django.test import Client

from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.accounts.services import factors
from vrp.events.services import Actor

PASSWORD = "sand-martins over Kibera"
START = datetime(2026, 11, 23, 8, 0, 5, tzinfo=UTC)
SIGN_IN = "/ops/sign-in/"


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands still until it is moved: ``clock.shift(30)``."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def somebody(person: Callable[..., User]) -> Callable[..., User]:
    """``somebody(Role.QC, name="grace")``: a person with ``PASSWORD``."""

    def make(*roles: Role, name: str = "") -> User:
        user = person(*roles, name=name)
        user.set_password(PASSWORD)
        user.save()
        return user

    return make


@dataclass
class App:
    """The authenticator app on somebody's phone."""

    user: User
    recovery: list[str]

    def code(self, steps: int = 0) -> str:
        """The code it shows now, or so many half minutes from now."""
        return code_of(factors.secret_of(self.user.second_factor), steps)


def code_of(secret: str, steps: int = 0) -> str:
    """The code of a secret now, or so many half minutes from now."""
    now = int(datetime.now(UTC).timestamp()) // 30
    return pyotp.TOTP(secret).generate_otp(now + steps)


def enrol(user: User) -> App:
    """Set up an app for the person; its first code is used up."""
    begun = factors.begin(user=user)
    code, actor = code_of(begun.secret), Actor.user(user)
    recovery = factors.confirm(user=user, begun=begun, code=code, actor=actor)
    user.refresh_from_db()
    return App(user, recovery)


def knock(
    client: Client, user: User | str, password: str = PASSWORD, **more: Any
) -> Any:
    """Send the sign-in form."""
    name = user if isinstance(user, str) else user.username
    return client.post(SIGN_IN, {"username": name, "password": password}, **more)


def is_in(client: Client) -> bool:
    """Whether the console opens."""
    return client.get("/ops/orders/").status_code == 200
