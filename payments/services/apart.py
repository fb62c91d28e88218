"""Two people for every shilling have to be two people in fact.

An admin can invite somebody, open the one-time link herself and so be both maker and
checker. Whoever got sign-in or money role out of the hand of the other one does not count
as a second person for a while: time for the real people to see it on record.
"""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from vrp.accounts.models import User
from vrp.accounts.queries import MONEY_ROLES
from vrp.errors import NotAllowed
from vrp.events.models import Event
from vrp.tenancy.models import Tenant

# A week: runs are weekly, so at least one is made and read by others in between.
APART_DAYS = 7
# With each of these, somebody could come in as another person.
HANDED_OVER = (
    "member.invited",
    "member.switched_on",
    "member.changed",
    "password.reset",
    "second_factor.reset",
)


def check_apart(tenant: Tenant, one: User, other: User) -> None:
    """Raise ``NotAllowed`` if one of the two gave the other sign-in, password, second
    factor or a money role in the last ``APART_DAYS``. Reads the tenant's events."""
    money = Q(name="member.role_granted", data__role__in=sorted(MONEY_ROLES))
    between = Q(subject_id=one.pk, actor_id=other.pk) | Q(
        subject_id=other.pk, actor_id=one.pk
    )
    found = (
        Event.objects.filter(
            between,
            Q(name__in=HANDED_OVER) | money,
            tenant=tenant,
            subject_type="user",
            actor_kind="user",
            at__gt=timezone.now() - timedelta(days=APART_DAYS),
        )
        .order_by("-id")
        .first()
    )
    if found is not None:
        until = timezone.localtime(found.at + timedelta(days=APART_DAYS))
        raise NotAllowed(
            "One of you two invited, let in or gave a money role to the other less than "
            f"{APART_DAYS} days ago, so together you do not count as two people until "
            f"{until:%d %b %H:%M}. Ask somebody else, or wait."
        )
