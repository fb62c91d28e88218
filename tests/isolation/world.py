"""Two tenants with at least one row of every model, full of marks.

``MAKERS`` says for each model how its rows are made; a model without an entry fails
``test_models.py``. Everything a tenant writes carries its mark, so that a leak is found
by looking for the mark in the bytes of an answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import models
from django.test import Client
from django.utils import timezone

from orders.models import ApiKey
from tests.builders import build_key
from vrp.accounts.enums import Role
from vrp.accounts.models import Membership, SecondFactor, User
from vrp.secrets import seal_text
from vrp.tenancy.models import Tenant, TenantModel
from vrp.tenancy.scope import tenant_scope

# Django's own and django-q2's tables, and ours without a tenant, each with its reason.
SHARED = {
    "tenancy.Tenant": "the directory of tenants itself; superusers only",
    "accounts.User": "a person may work for several tenants; superusers only",
    "accounts.Membership": "read at sign-in, before a tenant is known; written only "
    "from inside the tenant",
    "accounts.StaffSession": "signed in before a tenant is chosen",
    "accounts.SecondFactor": "a person's own, whatever tenants they work for",
    "accounts.RecoveryCode": "a person's own, whatever tenants they work for",
    "accounts.Tries": "failed sign-ins, before anybody is known",
    "ops.Heartbeat": "signs of life of processes",
    "admin.LogEntry": "Django's own log, which we do not write",
    "auth.Permission": "Django's own; our rights are roles",
    "auth.Group": "Django's own; our rights are roles",
    "contenttypes.ContentType": "names of models",
    "sessions.Session": "signed in before a tenant is chosen",
    "django_q.Task": "results of the clock's beats, for superusers",
    "django_q.Success": "a view of Task",
    "django_q.Failure": "a view of Task",
    "django_q.Schedule": "the clock's schedules, for superusers",
    "django_q.OrmQ": "the clock's queue, for superusers",
}
# Many-to-many tables that Django makes for the shared models above.
SHARED_TABLES = {
    "accounts_user_groups",
    "accounts_user_user_permissions",
    "auth_group_permissions",
    "django_migrations",
}
MAKERS: dict[str, Callable[["Side"], models.Model]] = {}
EVERYBODY = tuple(Role)


@dataclass
class Side:
    """One tenant of the world: its rows, its people, its secrets.

    ``rows`` holds rows by a short name (``workshop``, ``far_workshop`` ...). ``mark`` is
    in every text; ``far`` in those of the region that the field worker does not visit.
    """

    mark: str
    digit: int
    tenant: Tenant = field(init=False)
    rows: dict[str, Any] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)

    @property
    def far(self) -> str:
        return f"{self.mark}FAR"

    def put(self, name: str, model: type[models.Model], /, **values: Any) -> Any:
        """Make a row of this tenant and keep it under the name."""
        self.rows[name] = model._base_manager.create(tenant=self.tenant, **values)
        return self.rows[name]

    def __getitem__(self, name: str) -> Any:
        return self.rows[name]

    def pk(self, name: str) -> Any:
        return self.rows[name].pk

    def phone(self, number: int) -> str:
        return f"+2547{self.digit}{self.digit}000{number:03d}"

    def number(self, number: int) -> int:
        """Numbers of things: 9100017 and 8100017 are nobody's by accident."""
        return self.digit * 1_000_000 + 100_000 + number

    def marks(self) -> set[bytes]:
        """What no other tenant may ever be shown."""
        found = {self.mark, *self.secrets.values()}
        for name, row in self.rows.items():
            for column in row._meta.concrete_fields:
                value = getattr(row, column.attname)
                if isinstance(column, models.UUIDField) and value:
                    found |= {str(value), value.hex}
                elif column.name == "phone" and value:
                    found |= {value, value.removeprefix("+")}
                elif column.name == "number" and name != "line" and value:
                    found |= {str(value), f"{value:,}"}
        return {text.encode() for text in found if len(text) > 5}

    def client(self, who: str) -> Client:
        """The browser of ``boss`` (every role), ``root``, ``nobody`` or a role's person."""
        return self.clients[who]


def maker(label: str) -> Callable[[Any], Any]:
    """Declare how the rows of a model are made. Order of declaration is order of making."""

    def declare(function: Callable[[Side], models.Model]) -> Any:
        MAKERS[label] = function
        return function

    return declare


def our_models() -> list[type[TenantModel]]:
    """Every model whose rows belong to a tenant."""
    every = apps.get_models(include_auto_created=True)
    return [model for model in every if issubclass(model, TenantModel)]


def missing() -> set[str]:
    """Models that are neither shared with a reason nor made here."""
    every = apps.get_models(include_auto_created=True)
    labels = {m._meta.label for m in every if m._meta.db_table not in SHARED_TABLES}
    return labels - set(MAKERS) - set(SHARED)


def build_side(mark: str, digit: int) -> Side:
    """A tenant with all its rows and people."""
    side = Side(mark, digit)
    side.tenant = Tenant.objects.create(slug=mark.lower(), name=f"{mark} brand")
    _people(side)
    with tenant_scope(side.tenant):
        for make in MAKERS.values():
            make(side)
        side.secrets["key"] = build_key(side["buyer"])
        side.secrets["other_key"] = build_key(side["other_buyer"])
        # Else the first use of a key would be a change.
        later = timezone.now() + timedelta(hours=1)
        ApiKey.objects.update(last_used_at=later)
    return side


def _people(side: Side) -> None:
    names = [(role.value, (role,)) for role in Role]
    names += [("boss", EVERYBODY), ("root", EVERYBODY), ("nobody", ())]
    # Of these two an admin changes this and that.
    names += [("off", (Role.QC,)), ("person", (Role.PLANNER,))]
    for name, roles in names:
        user = User.objects.create(
            username=f"{side.mark}-{name}",
            first_name=f"{side.mark} {name}",
            is_superuser=name == "root",
            is_staff=name == "root",
            is_active=name != "off",
        )
        side.people[name] = user
        side.clients[name] = Client()
        side.clients[name].force_login(user)
        for role in roles:
            regions = ["Nairobi"] if role == Role.FIELD else []
            with tenant_scope(side.tenant):
                side.rows["membership"] = Membership.objects.create(
                    user=user, tenant=side.tenant, role=role, regions=regions
                )

    side.rows |= {"tenant": side.tenant, "person": user, "off": side.people["off"]}
    SecondFactor.objects.create(
        user=user, secret_sealed=seal_text(side.mark), confirmed_at=timezone.now()
    )


def ago(**span: float) -> Any:
    """A moment in the past."""
    return timezone.now() - timedelta(**span)


def day(days: int) -> Any:
    """A day from today on."""
    return timezone.localdate() + timedelta(days=days)
