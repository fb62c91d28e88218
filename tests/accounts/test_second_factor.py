"""The second factor: set up, asked for, used once, demanded, and lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from tests.accounts.conftest import App, code_of, enrol, is_in, knock
from tests.builders import Network, build_user
from vrp.accounts.enums import Role
from vrp.accounts.models import Membership, RecoveryCode, SecondFactor, User
from vrp.accounts.services import factors
from vrp.errors import IllegalMove, Invalid
from vrp.events.models import Event
from vrp.events.services import Actor
from vrp.secrets import seal_text
from vrp.tenancy.enums import SecondFactorRule
from vrp.tenancy.models import Tenant
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db
Somebody = Callable[..., User]
Clock = time_machine.Traveller
CODE = "/ops/sign-in/code/"
ENROL = "/ops/account/second-factor/"


def shown(client: Client) -> str:
    """The secret on the page of setting up."""
    secret: str = client.get(ENROL).context["secret"].replace(" ", "")
    return secret


def demand(tenant: Tenant, rule: SecondFactorRule) -> None:
    tenant.second_factor = rule
    tenant.save()


def test_from_the_qr_code_to_the_next_sign_in(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    user, client = somebody(Role.QC), Client()
    knock(client, user)
    assert "Begin" in client.get(ENROL).content.decode()
    client.post(ENROL, {"step": "begin"})
    page = client.get(ENROL).content.decode()
    secret = shown(client)
    assert secret not in str(dict(client.session))
    assert " ".join(secret[i : i + 4] for i in range(0, 32, 4)) in page
    # Without a viewBox the page's width would crop the code instead of scaling it.
    drawn = page[page.index("<svg") :].split(">")[0]
    assert "viewBox" in drawn
    assert "width=" not in drawn
    # Not confirmed: nothing is asked for yet.
    assert knock(Client(), user).url == "/ops/"

    assert "not right" in client.post(ENROL, {"code": "000000"}).content.decode()
    key = client.session.session_key
    done = client.post(ENROL, {"code": code_of(secret)})
    app = App(user, [])
    assert secret not in user.second_factor.secret_sealed
    codes = done.context["codes"]
    assert len(codes) == factors.RECOVERY_CODES
    assert all(code in done.content.decode() for code in codes)
    assert client.session.session_key != key
    assert is_in(client)
    stored = str(list(RecoveryCode.objects.values_list()))
    assert not any(code.replace("-", "") in stored for code in codes)
    assert codes[0] not in client.get("/ops/account/").content.decode()

    clock.shift(30)
    other = Client()
    answer = knock(other, user)
    assert answer.url.startswith(CODE)
    # Half in is not in: neither console nor back office.
    for path in ("/ops/orders/", "/ops/office/", "/ops/account/", ENROL):
        assert "Sign in" in other.get(path, follow=True).content.decode(), path
    assert "not right" in other.post(CODE, {"code": "000000"}).content.decode()
    assert other.post(CODE, {"code": app.code()}).url == "/ops/"
    assert is_in(other)


@pytest.mark.parametrize(("steps", "good"), [(-2, 0), (-1, 1), (0, 1), (1, 1), (2, 0)])
def test_a_phones_clock_may_be_off_by_one_step(
    network: Network, somebody: Somebody, clock: Clock, steps: int, good: int
) -> None:
    app = enrol(somebody(Role.QC))
    clock.shift(600)
    try:
        factors.use_code(user=app.user, code=app.code(steps))
        accepted = True
    except Invalid:
        accepted = False
    assert accepted == bool(good)


def test_a_code_is_good_once_and_no_older_one_after_it(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    app = enrol(somebody(Role.QC))
    clock.shift(600)
    factors.use_code(user=app.user, code=app.code())
    for steps in (0, -1):
        with pytest.raises(Invalid):
            factors.use_code(user=app.user, code=app.code(steps))
    factors.use_code(user=app.user, code=f" {app.code(1)[:3]} {app.code(1)[3:]} ")


@pytest.mark.parametrize("code", ["", "١٢٣٤٥٦", "abcdef", "1" * 40, "\x00", "é" * 16])
def test_what_is_no_code_is_wrong(
    network: Network, somebody: Somebody, code: str
) -> None:
    with pytest.raises(Invalid):
        factors.use_code(user=enrol(somebody(Role.QC)).user, code=code)


def test_a_recovery_code_is_good_once(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    app = enrol(somebody(Role.QC))
    client = Client()
    knock(client, app.user)
    assert client.post(CODE, {"code": app.recovery[3].lower()}).url == "/ops/"
    again = Client()
    knock(again, app.user)
    assert "not right" in again.post(CODE, {"code": app.recovery[3]}).content.decode()
    event = Event.objects.get(name="second_factor.recovery_used")
    assert event.data == {"left": 9}


def test_codes_are_throttled_and_known_devices_stay_open(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    app = enrol(somebody(Role.QC))
    client = Client()
    knock(client, app.user)
    said = [client.post(CODE, {"code": "000000"}).status_code for _ in range(6)]
    assert said == [200] * 5 + [429]
    clock.shift(15)
    assert client.post(CODE, {"code": app.code(1)}).status_code == 429
    # The right code is not used up by having been refused.
    clock.shift(15)
    assert client.post(CODE, {"code": app.code()}).status_code == 302


def test_the_second_step_ends_with_a_new_password_or_after_ten_minutes(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    app = enrol(somebody(Role.QC))
    clock.shift(60)
    client, late = Client(), Client()
    knock(client, app.user)
    knock(late, app.user)
    clock.shift(601)
    assert late.post(CODE, {"code": app.code()}).url == "/ops/sign-in/"
    knock(client, app.user)
    app.user.set_password("something else entirely")
    app.user.save()
    assert client.post(CODE, {"code": app.code()}).url == "/ops/sign-in/"
    assert not is_in(client)


@pytest.mark.parametrize(
    ("rule", "role", "led"),
    [
        (SecondFactorRule.NONE, Role.FINANCE_CHECKER, False),
        (SecondFactorRule.MONEY, Role.FINANCE_CHECKER, True),
        (SecondFactorRule.MONEY, Role.FINANCE_MAKER, True),
        (SecondFactorRule.MONEY, Role.ADMIN, True),
        (SecondFactorRule.MONEY, Role.QC, False),
        (SecondFactorRule.ALL, Role.QC, True),
        (SecondFactorRule.ALL, Role.AUDITOR, True),
    ],
)
def test_who_has_to_is_led_to_enrol_and_nowhere_else(
    network: Network,
    somebody: Somebody,
    rule: SecondFactorRule,
    role: Role,
    led: bool,
) -> None:
    demand(network.tenant, rule)
    client = Client()
    knock(client, somebody(role))
    assert is_in(client) != led
    if led:
        for path in (
            "/ops/",
            "/ops/office/",
            "/ops/account/",
            "/ops/account/password/",
        ):
            assert client.get(path).url == ENROL
        assert client.post("/ops/tenant/", {"tenant": "1"}).url == ENROL
        assert "Your brand asks" in client.get(ENROL).content.decode()


def test_a_rule_set_now_stops_the_very_next_post_of_an_open_page(
    network: Network, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(Role.PLANNER)
    shop = network.horn[0]
    demand(network.tenant, SecondFactorRule.ALL)
    there = f"/ops/workshops/{shop.pk}/language/"
    form = {"_tenant": network.tenant.pk, "language": "sw"}
    assert client.post(there, form).url == ENROL
    shop.refresh_from_db()
    assert shop.language == "en"
    demand(network.tenant, SecondFactorRule.NONE)
    client.post(there, form)
    shop.refresh_from_db()
    assert shop.language == "sw"


def test_the_stricter_of_two_tenants_counts(
    network: Network, other_tenant: Tenant, somebody: Somebody
) -> None:
    user = somebody(Role.QC)
    Membership.objects.create(user=user, tenant=other_tenant, role=Role.AUDITOR)
    client = Client()
    knock(client, user)
    assert is_in(client)
    demand(other_tenant, SecondFactorRule.ALL)
    assert not is_in(client)
    other_tenant.is_active = False
    other_tenant.save()
    assert is_in(client)


def test_the_admin_sets_the_rule_and_it_is_on_record(
    network: Network, signed_in: Callable[..., Client]
) -> None:
    admin = signed_in(Role.ADMIN)
    there, form = "/ops/people/rule/", {"_tenant": network.tenant.pk, "rule": "money"}
    assert signed_in(Role.PLANNER).post(there, form).status_code == 403
    assert admin.post(there, form).url == "/ops/people/"
    network.tenant.refresh_from_db()
    assert network.tenant.second_factor == "money"
    event = Event.objects.get(name="second_factor.rule_set")
    assert event.data == {"before": "none", "rule": "money"}
    assert admin.get("/ops/people/").url == ENROL  # it binds its maker too


def test_one_cannot_remove_what_is_demanded_and_needs_a_code_for_the_rest(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    app = enrol(somebody(Role.QC))
    client = Client()
    knock(client, app.user)
    clock.shift(30)
    client.post(CODE, {"code": app.code()})
    clock.shift(30)
    client.post(f"{ENROL}remove/", {"code": "123456"})
    assert factors.is_enrolled(app.user)
    demand(network.tenant, SecondFactorRule.ALL)
    assert client.post(f"{ENROL}remove/", {"code": app.code()}).status_code == 403
    assert factors.is_enrolled(app.user)

    clock.shift(30)
    fresh = client.post(f"{ENROL}recovery/", {"code": app.code()}).context["codes"]
    with pytest.raises(Invalid):
        factors.use_code(user=app.user, code=app.recovery[0])
    factors.use_code(user=app.user, code=fresh[0])
    clock.shift(30)
    demand(network.tenant, SecondFactorRule.NONE)
    client.post(f"{ENROL}remove/", {"code": app.code()})
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()


def test_another_phone(network: Network, somebody: Somebody, clock: Clock) -> None:
    app = enrol(somebody(Role.QC))
    client = Client()
    knock(client, app.user)
    clock.shift(30)
    client.post(CODE, {"code": app.code()})
    clock.shift(30)
    assert client.post(f"{ENROL}replace/", {"code": app.code()}).url == ENROL
    new = shown(client)
    # Until the new phone has shown its first code, the old one's are asked for.
    assert "not right" in client.post(ENROL, {"code": "000000"}).content.decode()
    clock.shift(30)
    factors.use_code(user=app.user, code=app.code())
    factors.use_code(user=app.user, code=app.recovery[0])
    codes = client.post(ENROL, {"code": code_of(new)}).context["codes"]
    clock.shift(30)
    for void in (app.code(), app.recovery[1]):
        with pytest.raises(Invalid):
            factors.use_code(user=app.user, code=void)
    factors.use_code(user=app.user, code=code_of(new))
    factors.use_code(user=app.user, code=codes[0])
    assert client.get(ENROL).url == "/ops/account/"
    assert is_in(client)


def test_nobody_plants_a_secret(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    user = somebody(Role.QC)
    thief, owner = Client(), Client()
    knock(thief, user)
    thief.post(ENROL, {"step": "begin"})
    planted = shown(thief)
    knock(owner, user)
    assert "Begin" in owner.get(ENROL).content.decode(), "shown what another began"
    owner.post(ENROL, {"step": "begin"})
    own = shown(owner)
    assert own != planted
    assert shown(owner) == own, "a reloaded page shows what was scanned"
    refused = owner.post(ENROL, {"code": code_of(planted)}).content.decode()
    assert "not right" in refused
    assert owner.post(ENROL, {"code": code_of(own)}).context["codes"]
    # What the thief began is over with the thief's session.
    assert thief.post(ENROL, {"code": code_of(planted)}).status_code == 302
    with pytest.raises(Invalid):
        factors.use_code(user=user, code=code_of(planted, 1))
    with pytest.raises(IllegalMove):
        factors.confirm(
            user=user,
            begun=factors.Begun(seal_text(planted)),
            code=code_of(planted),
            actor=Actor.user(user),
        )


def test_an_admin_resets_anothers_but_not_her_own(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    admin, app = somebody(Role.ADMIN), enrol(somebody(Role.QC, name="grace"))
    theirs, hers = Client(), Client()
    theirs.force_login(app.user)
    knock(hers, admin)
    there = f"/ops/people/{app.user.pk}/reset-second-factor/"
    assert hers.post(there, {"_tenant": network.tenant.pk}).status_code == 302
    assert not factors.is_enrolled(app.user)
    assert not is_in(theirs)
    event = Event.objects.get(name="second_factor.reset")
    assert (event.actor_id, event.subject_id) == (admin.pk, app.user.pk)

    own = enrol(admin)
    clock.shift(60)
    hers.post("/ops/sign-out/")
    knock(hers, admin)
    hers.post(CODE, {"code": own.code()})
    own_path = f"/ops/people/{admin.pk}/reset-second-factor/"
    assert hers.post(own_path, {}).status_code == 403
    assert factors.is_enrolled(admin)


def test_on_the_server_the_last_admin_is_helped(
    network: Network, somebody: Somebody, capsys: Any
) -> None:
    app = enrol(somebody(Role.ADMIN))
    call_command("reset_second_factor", app.user.username)
    assert not factors.is_enrolled(app.user)
    for name in (app.user.username, "nobody"):
        with pytest.raises(CommandError):
            call_command("reset_second_factor", name)


def test_demanding_it_leaves_api_keys_alone(network: Network) -> None:
    from orders.models import ApiKey
    from tests.builders import build_key

    demand(network.tenant, SecondFactorRule.ALL)
    key = build_key(network.buyer)
    assert ApiKey.objects.exists()
    answer = Client().get("/api/v1/orders", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_one_code_sent_many_times_at_once_is_good_once() -> None:
    tenant = Tenant.objects.create(slug="soko", name="Soko")
    with tenant_scope(tenant):
        app = enrol(build_user(tenant, "grace", Role.QC))
    SecondFactor.objects.update(last_step=0)
    code = app.code()

    def one(_: int) -> bool:
        try:
            factors.use_code(user=app.user, code=code)
            return True
        except Invalid:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(one, range(8))) == 1
