"""What a tenant's admin does with the tenant's own people."""

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction

from vrp.accounts.enums import Role
from vrp.accounts.models import User
from vrp.accounts.queries import is_only_of, people_of
from vrp.accounts.services import factors, passwords
from vrp.accounts.services.record import note
from vrp.accounts.services.roles import grant_role
from vrp.accounts.services.sessions import end_sessions
from vrp.errors import Conflict, Invalid, NotAllowed, NotFound
from vrp.events.services import Actor, record
from vrp.tenancy.enums import SecondFactorRule
from vrp.tenancy.models import Tenant

SHARED = (
    "This sign-in is not of your brand alone. You may take roles away here; "
    "for the rest ask whoever runs this system."
)


@transaction.atomic
def invite(
    *,
    tenant: Tenant,
    username: str,
    first_name: str,
    last_name: str,
    role: Role,
    actor: Actor,
    regions: list[str] | None = None,
) -> User:
    """A new person with one role and no password yet.

    Raises ``Conflict`` for a sign-in name that is taken, ``Invalid`` for one that cannot
    be.
    """
    username = User.normalize_username(username.strip())
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field="username") from error
    if User.objects.filter(username__iexact=username).exists():
        raise Conflict("This sign-in name is taken. Choose another.", field="username")
    user = User(username=username, first_name=first_name, last_name=last_name)
    user.set_unusable_password()
    user.save()
    record("member.invited", subject=user, tenant=tenant, actor=actor)
    grant_role(tenant=tenant, user=user, role=role, regions=regions, actor=actor)
    return user


def _own(tenant: Tenant, user: User, by: User) -> User:
    """The person, locked. Raises ``NotFound`` for a stranger, ``NotAllowed`` for oneself
    and for somebody whose sign-in opens another tenant too."""
    row = User.objects.select_for_update().filter(pk=user.pk).first()
    if row is None or not people_of(tenant).filter(pk=row.pk).exists():
        raise NotFound("Nobody of your brand.")
    if row.pk == by.pk:
        raise NotAllowed("Not for yourself: ask another admin, or see Your account.")
    if not is_only_of(row, tenant):
        raise NotAllowed(SHARED)
    return row


@transaction.atomic
def reset_password(*, tenant: Tenant, user: User, by: User) -> User:
    """End the password and all sessions of one of the tenant's people."""
    row = _own(tenant, user, by)
    return passwords.clear_password(user=row, actor=Actor.user(by))


@transaction.atomic
def reset_second_factor(*, tenant: Tenant, user: User, by: User) -> None:
    """Take the second factor of one of the tenant's people away, and their sessions."""
    row = _own(tenant, user, by)
    factors.drop_for(user=row, actor=Actor.user(by))
    end_sessions(user=row, actor=Actor.user(by))


@transaction.atomic
def switch(*, tenant: Tenant, user: User, on: bool, by: User) -> User:
    """Let a person sign in, or not any more: from their next request on."""
    row = _own(tenant, user, by)
    if row.is_active == on:
        return row
    row.is_active = on
    row.save(update_fields=["is_active"])
    actor = Actor.user(by)
    end_sessions(user=row, actor=actor)
    note("member.switched_on" if on else "member.switched_off", user=row, actor=actor)
    return row


@transaction.atomic
def set_second_factor_rule(
    *, tenant: Tenant, rule: SecondFactorRule, actor: Actor
) -> Tenant:
    """Whom the tenant asks for a code. Holds from everybody's next request on."""
    row = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if row.second_factor == rule:
        return row
    before, row.second_factor = row.second_factor, rule
    row.save(update_fields=["second_factor"])
    record(
        "second_factor.rule_set",
        subject=row,
        tenant=row,
        actor=actor,
        data={"before": before, "rule": rule},
    )
    return row
