"""Sessions: a new key at each step in, and what ends them."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from payments.enums import RunState
from payments.services.runs import make_run
from tests.accounts.conftest import PASSWORD, SIGN_IN, enrol, is_in, knock
from tests.builders import SYSTEM, Network, build_user
from tests.payments.conftest import grade
from vrp.accounts.clock import tidy_sign_ins
from vrp.accounts.enums import Role
from vrp.accounts.models import StaffSession, User
from vrp.accounts.services.passwords import set_password
from vrp.accounts.services.roles import revoke_role
from vrp.events.models import Event

pytestmark = pytest.mark.django_db
Somebody = Callable[..., User]
Clock = time_machine.Traveller
NEW = "weaver birds at Karura 7"


def two_browsers(user: User) -> tuple[Client, Client]:
    first, second = Client(), Client()
    knock(first, user)
    knock(second, user)
    assert is_in(first)
    assert is_in(second)
    return first, second


def post_language(client: Client, network: Network) -> Any:
    """What a page that was open before would send."""
    return client.post(
        f"/ops/workshops/{network.horn[0].pk}/language/",
        {"_tenant": network.tenant.pk, "language": "sw"},
    )


def unchanged(network: Network) -> bool:
    network.horn[0].refresh_from_db()
    return network.horn[0].language == "en"


def test_a_key_known_before_sign_in_is_worth_nothing(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    app = enrol(somebody(Role.PLANNER))
    clock.shift(60)
    victim = Client()
    victim.get("/ops/set-password/MQ/set-password/")  # any page that begins a session
    victim.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    keys = ["a" * 32]
    knock(victim, app.user)
    keys.append(victim.cookies[settings.SESSION_COOKIE_NAME].value)
    victim.post("/ops/sign-in/code/", {"code": app.code()})
    keys.append(victim.cookies[settings.SESSION_COOKIE_NAME].value)
    assert is_in(victim)
    assert len(set(keys)) == 3
    for known in keys[:2]:
        thief = Client()
        thief.cookies[settings.SESSION_COOKIE_NAME] = known
        assert not is_in(thief)


def test_another_password_ends_the_others_and_keeps_this_one(
    network: Network, somebody: Somebody
) -> None:
    user = somebody(Role.PLANNER)
    here, there = two_browsers(user)
    key = here.session.session_key
    form = {"old": PASSWORD, "new": NEW, "again": NEW}
    assert here.post("/ops/account/password/", form).url == "/ops/account/"
    assert is_in(here)
    assert here.session.session_key != key
    assert post_language(there, network).url.startswith(SIGN_IN)
    assert unchanged(network)
    assert knock(Client(), user, NEW).status_code == 302
    assert Event.objects.filter(name="password.changed").count() == 1


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"old": "not it", "new": NEW, "again": NEW}, "not your present password"),
        ({"old": PASSWORD, "new": "short 1", "again": "short 1"}, "at least 12"),
        (
            {"old": PASSWORD, "new": "qazwsxedcrfv", "again": "qazwsxedcrfv"},
            "too common",
        ),
        ({"old": PASSWORD, "new": NEW, "again": NEW + "x"}, "not the same"),
        ({"old": PASSWORD}, "required"),
    ],
)
def test_a_password_that_will_not_do_is_explained(
    network: Network, somebody: Somebody, form: dict[str, str], said: str
) -> None:
    user, client = somebody(Role.PLANNER), Client()
    knock(client, user)
    assert said in client.post("/ops/account/password/", form).content.decode()
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_guessing_the_old_password_in_a_stolen_session_has_to_wait(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    client = Client()
    knock(client, somebody(Role.PLANNER))
    form = {"old": "a guess", "new": NEW, "again": NEW}
    said = [client.post("/ops/account/password/", form).status_code for _ in range(6)]
    assert said == [200] * 5 + [429]
    confirm = client.post("/ops/account/confirm/", {"proof": PASSWORD})
    assert confirm.status_code == 429


def test_a_person_switched_off_is_out_at_once(
    network: Network, somebody: Somebody
) -> None:
    user, admin = somebody(Role.PLANNER), Client()
    here, there = two_browsers(user)
    knock(admin, somebody(Role.ADMIN))
    off = f"/ops/people/{user.pk}/switch-off/"
    admin.post(off, {"_tenant": network.tenant.pk})
    assert not is_in(here)
    assert post_language(there, network).url.startswith(SIGN_IN)
    assert unchanged(network)
    assert knock(Client(), user).status_code == 200
    admin.post(off.replace("off", "on"), {"_tenant": network.tenant.pk})
    assert not is_in(here)  # an old session does not come back
    assert knock(Client(), user).status_code == 302


def test_is_active_alone_ends_a_session_too(
    network: Network, somebody: Somebody
) -> None:
    user = somebody(Role.PLANNER)
    here, _ = two_browsers(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert post_language(here, network).url.startswith(SIGN_IN)
    assert unchanged(network)


def test_a_role_taken_away_stops_the_post_of_an_open_page(
    network: Network, somebody: Somebody
) -> None:
    user = somebody(Role.PLANNER, Role.QC)
    here, there = two_browsers(user)
    revoke_role(tenant=network.tenant, user=user, role=Role.PLANNER, actor=SYSTEM)
    assert post_language(here, network).status_code == 403
    revoke_role(tenant=network.tenant, user=user, role=Role.QC, actor=SYSTEM)
    assert post_language(there, network).status_code == 403
    assert unchanged(network)


def test_idle_and_old_sessions_end(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    client = Client()
    knock(client, somebody(Role.PLANNER))
    for _ in range(12):
        clock.shift(settings.SESSION_IDLE - 60)
        assert is_in(client)
    # Twelve hours after signing in even the busiest has to sign in anew.
    clock.shift(settings.SESSION_COOKIE_AGE - 12 * (settings.SESSION_IDLE - 60) - 1)
    assert is_in(client)
    clock.shift(2)
    assert not is_in(client)

    knock(client, User.objects.get())
    clock.shift(settings.SESSION_IDLE + 1)
    assert not is_in(client)
    tidy_sign_ins()
    assert not StaffSession.objects.filter(user__isnull=False).exists()


def test_a_page_that_refreshes_itself_is_nobody_there(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    client = Client()
    knock(client, somebody(Role.PLANNER))
    for _ in range(3):
        clock.shift(settings.SESSION_IDLE // 2 - 1)
        client.get("/ops/orders/", headers={"x-requested-with": "fetch"})
    assert not is_in(client)


def test_clicks_cost_one_write_a_minute(
    network: Network,
    somebody: Somebody,
    clock: Clock,
    django_assert_num_queries: Any,
) -> None:
    client = Client()
    knock(client, somebody(Role.PLANNER))
    client.get("/ops/account/password/")
    with django_assert_num_queries(3):  # session, person, roles with their tenants
        client.get("/ops/account/password/")
    clock.shift(61)
    with django_assert_num_queries(4):
        client.get("/ops/account/password/")


def test_my_sessions_and_out_of_all_of_them(
    network: Network, somebody: Somebody
) -> None:
    user = somebody(Role.QC)
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    phone = Client(headers={"user-agent": firefox}, REMOTE_ADDR="198.51.100.7")
    desk = Client()
    knock(phone, user)
    knock(desk, user)
    stranger = Client()
    knock(stranger, somebody(Role.QC, name="other"))
    page = desk.get("/ops/account/").content.decode()
    assert "Firefox on Linux" in page
    assert "198.51.100.7" in page
    assert page.count("this one") == 1
    everywhere = "/ops/account/sign-out-everywhere/"
    assert desk.get(everywhere).status_code == 405
    assert desk.post(everywhere).url == SIGN_IN
    assert not is_in(phone)
    assert not is_in(desk)
    assert is_in(stranger)
    assert Event.objects.get(name="sign_in.ended").data["sessions"] == 2


def test_signing_out_is_a_post_and_ends_the_row(
    network: Network, somebody: Somebody
) -> None:
    client = Client()
    knock(client, somebody(Role.QC))
    assert client.get("/ops/sign-out/").status_code == 405
    assert is_in(client)
    key = client.session.session_key
    answer = client.post("/ops/sign-out/")
    assert not StaffSession.objects.filter(pk=key).exists()
    assert answer["Clear-Site-Data"] == '"cache", "storage"'


@pytest.mark.parametrize(
    "bad",
    [
        "https://evil.example/ops/",
        "//evil.example/ops/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/ops/\n//evil.example",
        "ops/../../x",
    ],
)
def test_next_leads_nowhere_else(
    network: Network, somebody: Somebody, clock: Clock, bad: str
) -> None:
    user = somebody(Role.QC)
    form = {"username": user.username, "password": PASSWORD, "next": bad}
    first = Client()
    assert first.post(SIGN_IN, form).url == "/ops/"
    confirm = {"proof": PASSWORD, "next": bad}
    assert first.post("/ops/account/confirm/", confirm).url == "/ops/"
    app = enrol(user)
    clock.shift(60)
    second = Client()
    assert "evil" not in second.post(SIGN_IN, form).url
    code = {"code": app.code(), "next": bad}
    assert second.post("/ops/sign-in/code/", code).url == "/ops/"


def test_next_leads_back_to_a_page_of_ours(
    network: Network, somebody: Somebody
) -> None:
    user, client = somebody(Role.QC), Client()
    asked = client.get("/ops/orders/?state=all").url
    assert asked == f"{SIGN_IN}?next=/ops/orders/%3Fstate%3Dall"
    form = {"username": user.username, "password": PASSWORD}
    assert client.post(asked, form).url == "/ops/orders/?state=all"
    # A post that comes too late leads to its page, not to the post.
    late = Client().post(
        "/ops/workshops/7/language/",
        headers={"referer": "http://testserver/ops/workshops/7/"},
    )
    assert late.url == f"{SIGN_IN}?next=/ops/workshops/7/"
    evil = Client().post(
        "/ops/workshops/7/language/", headers={"referer": "http://evil.example/ops/x/"}
    )
    assert evil.url == f"{SIGN_IN}?next=/ops/"


def test_approving_money_asks_whether_it_is_still_you(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    grade(network, 60)
    maker = build_user(network.tenant, "maker", Role.FINANCE_MAKER)
    run = make_run(tenant=network.tenant, made_by=maker, actor=SYSTEM)
    client = Client()
    knock(client, somebody(Role.FINANCE_CHECKER))
    clock.shift(settings.PROOF_SECONDS + 1)
    page = f"/ops/payouts/{run.pk}/"
    form = {"_tenant": network.tenant.pk, "total": f"{run.total_minor / 100:.2f}"}

    def approve() -> Any:
        return client.post(
            f"{page}approve/", form, headers={"referer": f"http://testserver{page}"}
        )

    asked = approve()
    assert asked.url == f"/ops/account/confirm/?next=%2Fops%2Fpayouts%2F{run.pk}%2F"
    run.refresh_from_db()
    assert run.state == RunState.DRAFT
    prompt = client.get(asked.url).content.decode()
    assert "Nothing was changed yet" in prompt
    wrong = client.post("/ops/account/confirm/", {"proof": "no", "next": page})
    assert "not your password" in wrong.content.decode()
    right = client.post("/ops/account/confirm/", {"proof": PASSWORD, "next": page})
    assert right.url == page
    assert approve().url == page
    run.refresh_from_db()
    assert run.state == RunState.APPROVED


def test_whoever_has_an_app_proves_it_by_a_code(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    app = enrol(somebody(Role.ADMIN))
    client = Client()
    knock(client, app.user)
    clock.shift(30)
    client.post("/ops/sign-in/code/", {"code": app.code()})
    clock.shift(settings.PROOF_SECONDS + 30)
    assert client.get("/ops/people/new/").url.startswith("/ops/account/confirm/")
    said = client.post("/ops/account/confirm/", {"proof": PASSWORD})
    assert "not right" in said.content.decode()
    client.post("/ops/account/confirm/", {"proof": app.code()})
    assert client.get("/ops/people/new/").status_code == 200


def test_a_new_password_by_service_ends_sessions(
    network: Network, somebody: Somebody
) -> None:
    user = somebody(Role.QC)
    here, there = two_browsers(user)
    set_password(user=user, password=NEW, actor=SYSTEM)
    assert not is_in(here)
    assert not is_in(there)
