"""Roles, and what each may do. The one table that every edge asks."""

from django.db.models import TextChoices


class Role(TextChoices):
    """What a member of a tenant's staff does (facts A6, A7)."""

    ADMIN = "admin", "Tenant admin"
    PLANNER = "planner", "Planner"
    QC = "qc", "QC officer"
    FIELD = "field", "Field worker"
    FINANCE_MAKER = "finance_maker", "Finance maker"
    FINANCE_CHECKER = "finance_checker", "Finance checker"
    AUDITOR = "auditor", "Auditor"


class Permission(TextChoices):
    """The things that need a right. Reading is open to every member of the tenant."""

    MANAGE_MEMBERS = "manage_members", "invite people and give roles"
    MANAGE_KEYS = "manage_keys", "make, replace and revoke API keys"
    EDIT_NETWORK = "edit_network", "change workshops, artisans and skills"
    EDIT_CATALOGUE = "edit_catalogue", "change products, components and stock"
    PLACE_ORDERS = "place_orders", "enter and cancel orders"
    PLAN = "plan", "run the matcher, edit and release plans, re-offer"
    RECEIVE = "receive", "receive deliveries and count them"
    GRADE = "grade", "grade batches and send pieces to rework"
    ASSEMBLE = "assemble", "assemble, finish, pack and ship"
    MAKE_PAYOUTS = "make_payouts", "make payout runs and resolve unknown payments"
    APPROVE_PAYOUTS = "approve_payouts", "approve payout runs made by somebody else"
    SEND_MESSAGES = "send_messages", "write to artisans"


# Auditor: reads all, writes nothing. Nobody holds maker and checker by role alone; that
# the two are different *people* is checked again when a run is approved.
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(
        {
            Permission.MANAGE_MEMBERS,
            Permission.MANAGE_KEYS,
            Permission.EDIT_NETWORK,
            Permission.EDIT_CATALOGUE,
            Permission.PLACE_ORDERS,
            Permission.SEND_MESSAGES,
        }
    ),
    Role.PLANNER: frozenset(
        {
            Permission.EDIT_NETWORK,
            Permission.EDIT_CATALOGUE,
            Permission.PLACE_ORDERS,
            Permission.PLAN,
            Permission.SEND_MESSAGES,
        }
    ),
    Role.QC: frozenset({Permission.RECEIVE, Permission.GRADE, Permission.ASSEMBLE}),
    Role.FIELD: frozenset({Permission.RECEIVE}),
    Role.FINANCE_MAKER: frozenset({Permission.MAKE_PAYOUTS}),
    Role.FINANCE_CHECKER: frozenset({Permission.APPROVE_PAYOUTS}),
    Role.AUDITOR: frozenset(),
}
