"""Giving roles and taking them away."""

from django.db import transaction

from vrp.accounts.enums import Role
from vrp.accounts.models import Membership, User
from vrp.errors import Invalid
from vrp.events.services import Actor, record
from vrp.tenancy.models import Tenant


@transaction.atomic
def grant_role(
    *,
    tenant: Tenant,
    user: User,
    role: Role,
    actor: Actor,
    regions: list[str] | None = None,
) -> Membership:
    """Give a person a role in the tenant; giving it again changes the regions only.

    Raises ``Invalid`` when a field worker is given no region: their round would be empty.
    """
    if role == Role.FIELD and not regions:
        raise Invalid("A field worker needs at least one region.", field="regions")
    membership, _ = Membership.objects.update_or_create(
        user=user, tenant=tenant, role=role, defaults={"regions": regions or []}
    )
    record(
        "member.role_granted",
        subject=user,
        tenant=tenant,
        actor=actor,
        data={"role": role, "regions": regions or []},
    )
    return membership


@transaction.atomic
def revoke_role(*, tenant: Tenant, user: User, role: Role, actor: Actor) -> None:
    """Take a role away. Holds from the person's next request on."""
    gone, _ = Membership.objects.filter(user=user, tenant=tenant, role=role).delete()
    if gone:
        record(
            "member.role_revoked",
            subject=user,
            tenant=tenant,
            actor=actor,
            data={"role": role},
        )
