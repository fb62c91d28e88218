"""Reads about people that more than one place needs."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from vrp.accounts.enums import GRANTS, Permission, Role
from vrp.accounts.models import Membership, SecondFactor, StaffSession, User
from vrp.tenancy.enums import SecondFactorRule
from vrp.tenancy.models import Tenant

# Who may give roles can take the money's: a rule for those who move money binds them too.
MONEY = frozenset(
    {
        Permission.MAKE_PAYOUTS,
        Permission.APPROVE_PAYOUTS,
        Permission.MANAGE_MEMBERS,
    }
)
MONEY_ROLES = frozenset(role for role, rights in GRANTS.items() if rights & MONEY)


def memberships_of(user: User) -> list[Membership]:
    """All roles of a person in active tenants, with the tenant, by its name. One query."""
    rows = Membership.objects.filter(user=user, tenant__is_active=True)
    return list(rows.select_related("tenant").order_by("tenant__name", "id"))


def must_have_second_factor(rows: Iterable[Membership]) -> bool:
    """Whether any tenant of these roles demands a code: the strictest rule counts."""
    return any(
        row.tenant.second_factor == SecondFactorRule.ALL
        or (
            row.tenant.second_factor == SecondFactorRule.MONEY
            and Role(row.role) in MONEY_ROLES
        )
        for row in rows
    )


def has_second_factor(user: User) -> bool:
    """Whether sign-in asks this person for a code."""
    return confirmed_factors().filter(user=user).exists()


def confirmed_factors() -> QuerySet[SecondFactor]:
    """Second factors that are in use, not just being set up."""
    return SecondFactor.objects.filter(confirmed_at__isnull=False)


def sessions_of(user: User) -> QuerySet[StaffSession]:
    """Where a person is signed in now, newest click first."""
    rows = StaffSession.objects.filter(user=user, expire_date__gt=timezone.now())
    return rows.order_by("-seen_at", "session_key")


def people_of(tenant: Tenant) -> QuerySet[User]:
    """Everybody with a role in the tenant, with ``enrolled``, and who is switched off."""
    mine = Membership.objects.filter(user=OuterRef("pk"), tenant=tenant)
    enrolled = confirmed_factors().filter(user=OuterRef("pk"))
    return User.objects.filter(Exists(mine)).annotate(enrolled=Exists(enrolled))


def is_only_of(user: User, tenant: Tenant) -> bool:
    """Whether the tenant's admin alone answers for this person's sign-in."""
    elsewhere = Membership.objects.filter(user=user).exclude(tenant=tenant)
    return not user.is_superuser and not elsewhere.exists()
