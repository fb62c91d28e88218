"""What an admin does for the people of her brand, and for nobody else's."""

from collections.abc import Callable

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from tests.accounts.conftest import PASSWORD, is_in, knock
from tests.builders import Network, build_user
from vrp.accounts.enums import Role
from vrp.accounts.models import Membership, User
from vrp.events.models import Event
from vrp.tenancy.models import Tenant

pytestmark = pytest.mark.django_db
Somebody = Callable[..., User]
Clock = time_machine.Traveller
NEW = "weaver birds at Karura 7"
INVITED = {"first_name": "Grace", "username": "grace", "role": "qc"}


@pytest.fixture
def admin(network: Network, somebody: Somebody) -> Client:
    client = Client()
    knock(client, somebody(Role.ADMIN))
    return client


def path_in(answer: object) -> str:
    link: str = answer.context["link"]  # type: ignore[attr-defined]
    assert link in answer.content.decode()  # type: ignore[attr-defined]
    return link.removeprefix(settings.PUBLIC_URL)


def choose(path: str, password: str = NEW) -> Client:
    """Follow a one-time link and choose a password."""
    client = Client()
    page = client.get(path, follow=True)
    form = {"new_password1": password, "new_password2": password}
    if page.context.get("validlink"):
        client.post(page.request["PATH_INFO"], form)
    return client


def test_invited_by_a_link_that_works_once(network: Network, admin: Client) -> None:
    path = path_in(admin.post("/ops/people/new/", INVITED))
    user = User.objects.get(username="grace")
    assert not user.has_usable_password()
    assert Membership.objects.get(user=user).role == Role.QC
    assert Event.objects.filter(name="member.invited", subject_id=user.pk).exists()
    assert path not in admin.get(f"/ops/people/{user.pk}/").content.decode()
    # A preview of the link uses nothing up; the token leaves the address at once.
    assert path.split("/")[-2] not in Client().get(path).url
    choose(path)
    client = Client()
    assert knock(client, "grace", NEW).status_code == 302
    assert is_in(client)
    choose(path, "quite another password")
    assert "no longer good" in Client().get(path, follow=True).content.decode()
    assert knock(Client(), "grace", NEW).status_code == 302


def test_the_link_is_good_for_a_day(
    network: Network, somebody: Somebody, clock: Clock
) -> None:
    client = Client()
    knock(client, somebody(Role.ADMIN))
    path = path_in(client.post("/ops/people/new/", INVITED))
    clock.shift(86_400 + 60)
    assert "no longer good" in Client().get(path, follow=True).content.decode()


def test_the_link_asks_for_a_good_password(network: Network, admin: Client) -> None:
    path = path_in(admin.post("/ops/people/new/", INVITED))
    choose(path, "too short")
    assert not User.objects.get(username="grace").has_usable_password()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"username": "soko-admin-user"}, "taken"),
        ({"username": "SOKO-admin-user"}, "taken"),
        ({"username": "with space"}, "valid username"),
        ({"role": "field"}, "at least one region"),
        ({"role": "king"}, "valid choice"),
        ({"first_name": ""}, "required"),
    ],
)
def test_an_invitation_that_will_not_do_is_explained(
    network: Network, admin: Client, change: dict[str, str], said: str
) -> None:
    answer = admin.post("/ops/people/new/", INVITED | change)
    assert said in answer.content.decode()
    assert not User.objects.filter(username="grace").exists()


def test_a_reset_ends_the_old_password_the_sessions_and_older_links(
    network: Network, admin: Client, somebody: Somebody
) -> None:
    user = somebody(Role.QC)
    theirs = Client()
    knock(theirs, user)
    reset = f"/ops/people/{user.pk}/reset-password/"
    first = path_in(admin.post(reset))
    assert not is_in(theirs)
    assert knock(Client(), user).status_code == 200
    second = path_in(admin.post(reset))
    assert "no longer good" in Client().get(first, follow=True).content.decode()
    choose(second)
    assert knock(Client(), user, NEW).status_code == 302
    assert Event.objects.filter(name="password.reset").count() == 2


def test_roles_are_given_and_taken(
    network: Network, admin: Client, somebody: Somebody
) -> None:
    user = somebody(Role.QC)
    base = f"/ops/people/{user.pk}/"
    admin.post(f"{base}give-role/", {"role": "field", "regions": "Nairobi, Kiambu"})
    field = Membership.objects.get(user=user, role=Role.FIELD)
    assert field.regions == ["Nairobi", "Kiambu"]
    assert admin.post(f"{base}give-role/", {"role": "king"}).status_code == 422
    assert admin.post(f"{base}take-role/", {"role": "king"}).status_code == 422
    admin.post(f"{base}take-role/", {"role": "field"})
    assert admin.post(f"{base}take-role/", {"role": "qc"}).url == "/ops/people/"
    assert not Membership.objects.filter(user=user).exists()
    assert admin.get(base).status_code == 404


def test_an_admin_does_not_lock_herself_out(network: Network, admin: Client) -> None:
    me = User.objects.get()
    base = f"/ops/people/{me.pk}/"
    for what in ("switch-off", "reset-password", "reset-second-factor"):
        assert admin.post(f"{base}{what}/").status_code == 403
    assert admin.post(f"{base}take-role/", {"role": "admin"}).status_code == 403
    assert is_in(admin)


@pytest.mark.parametrize(
    "what", ["switch-off", "switch-on", "reset-password", "reset-second-factor"]
)
def test_whose_sign_in_opens_another_brand_too_is_not_this_admins(
    network: Network,
    other_tenant: Tenant,
    admin: Client,
    somebody: Somebody,
    what: str,
) -> None:
    """Else the admin of one brand could take over the people of another."""
    shared, boss = somebody(Role.QC), somebody(Role.QC, name="boss")
    Membership.objects.create(user=shared, tenant=other_tenant, role=Role.ADMIN)
    boss.is_superuser = True
    boss.save()
    stranger = build_user(other_tenant, "stranger", Role.QC)
    for user, status in ((shared, 403), (boss, 403), (stranger, 404)):
        assert admin.post(f"/ops/people/{user.pk}/{what}/").status_code == status
        user.refresh_from_db()
        assert user.is_active
    assert shared.check_password(PASSWORD)
    assert admin.get(f"/ops/people/{stranger.pk}/").status_code == 404
    assert stranger.username not in admin.get("/ops/people/").content.decode()


@pytest.mark.parametrize(
    "path", ["people/new/", "people/rule/", "office/accounts/membership/add/"]
)
def test_people_are_changed_by_somebody_who_is_still_there(
    network: Network, somebody: Somebody, clock: Clock, path: str
) -> None:
    client, user = Client(), somebody(Role.QC)
    knock(client, somebody(Role.ADMIN))
    form = {"username": user.username, "role": "planner", "rule": "all"}
    form |= {"first_name": "New", "_tenant": network.tenant.pk, "regions": ""}
    clock.shift(settings.PROOF_SECONDS + 1)
    before = Event.objects.count()
    answer = client.post(f"/ops/{path}", form)
    assert answer.url.startswith("/ops/account/confirm/")
    assert Event.objects.count() == before
    assert Membership.objects.filter(user=user).count() == 1
    client.post("/ops/account/confirm/", {"proof": PASSWORD})
    if path != "people/new/":  # whose name is taken
        client.post(f"/ops/{path}", form)
        assert Event.objects.count() == before + 1


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_only_admins_see_people(
    network: Network, signed_in: Callable[..., Client], role: Role
) -> None:
    client = signed_in(role)
    for path in ("", "new/", "1/"):
        assert client.get(f"/ops/people/{path}").status_code == 403
    for path in ("new/", "rule/", "1/give-role/", "1/reset-password/"):
        assert client.post(f"/ops/people/{path}").status_code == 403


def test_more_people_cost_no_more_queries(
    network: Network, admin: Client, somebody: Somebody, django_assert_num_queries
) -> None:
    admin.get("/ops/people/")
    for name in ("", "b", "c"):
        somebody(Role.QC, Role.PLANNER, name=name)
        with django_assert_num_queries(5):
            admin.get("/ops/people/")


def test_a_superuser_hands_out_a_link_instead_of_typing_a_password(
    network: Network, somebody: Somebody
) -> None:
    boss, user = somebody(Role.ADMIN, name="boss"), somebody(Role.QC)
    boss.is_superuser = boss.is_staff = True
    boss.save()
    client = Client()
    knock(client, boss)
    there = f"/ops/office/accounts/user/{user.pk}/password/"
    assert "You get a link" in client.get(there).content.decode()
    assert user.has_usable_password()
    choose(path_in(client.post(there)))
    assert knock(Client(), user, NEW).status_code == 302
    assert client.get("/ops/office/password_change/").url == "/ops/account/password/"


def test_nobody_pulls_another_brands_people_into_her_own(
    network: Network, other_tenant: Tenant, somebody: Somebody
) -> None:
    there = "/ops/office/accounts/membership/add/"
    theirs, own = build_user(other_tenant, "daniel", Role.QC), somebody(Role.QC)
    hers, boss = Client(), Client()
    knock(hers, somebody(Role.ADMIN))
    said = {}
    for name in (theirs.username, "nobody"):
        form = {"username": name, "role": "planner", "regions": ""}
        page = hers.post(there, form).content.decode()
        assert "invited under People" in page
        said[name] = page[page.index("errorlist") :].split("</ul>")[0]
    assert said[theirs.username] == said["nobody"]
    assert not Membership.objects.filter(user=theirs, tenant=network.tenant).exists()

    form = {"username": own.username, "role": "planner", "regions": ""}
    assert hers.post(there, form).status_code == 302
    assert Membership.objects.filter(user=own, role=Role.PLANNER).exists()

    superuser = somebody(Role.ADMIN, name="boss")
    superuser.is_superuser = True
    superuser.save()
    knock(boss, superuser)
    boss.post(there, form | {"username": theirs.username})
    assert Membership.objects.filter(user=theirs, tenant=network.tenant).exists()


@pytest.mark.parametrize("first", [True, False])
def test_a_role_elsewhere_never_moves_an_open_session(
    network: Network, other_tenant: Tenant, somebody: Somebody, first: bool
) -> None:
    other_tenant.name = "Aaa" if first else "Zzz"
    other_tenant.save()
    user, client = somebody(Role.AUDITOR), Client()
    knock(client, user)
    assert client.get("/ops/orders/").wsgi_request.tenant == network.tenant
    Membership.objects.create(user=user, tenant=other_tenant, role=Role.ADMIN)
    assert client.get("/ops/orders/").wsgi_request.tenant == network.tenant


@pytest.mark.parametrize("referer", ["http://[::1", "http://[x]/", "//["])
def test_half_an_address_as_referer_is_no_error(db: None, referer: str) -> None:
    answer = Client().post("/ops/people/new/", headers={"referer": referer})
    assert answer.status_code == 302
