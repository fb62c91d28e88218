"""Ten times the rows, fast: every table of a tenant copied inside PostgreSQL.

Works from the models themselves, so a new table grows along. Copies keep their relations
(ids are moved by the same step everywhere), differ where a value must be unique, and are
written past triggers and foreign keys by the superuser.

Three ways to grow: ``HISTORY`` (the same network, years more of finished work),
``NETWORK`` (everything: workshops, buyers, products and their open work) and ``TENANTS``
(the whole tenant again under other tenants).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.apps import apps
from django.db import models

from vrp.tenancy.models import TenantModel


class Growth(Enum):
    HISTORY = "history"
    NETWORK = "network"
    TENANTS = "tenants"


# One row a tenant, or counters that are set afterwards.
_SINGLE = {"phone.Channel", "payments.WalletCredential", "tenancy.Counter"}
# What stays as it is while a tenant grows older.
_LASTING = {
    *("artisans.Area", "artisans.Skill", "artisans.Workshop", "artisans.Artisan"),
    *("artisans.WorkshopSkill", "artisans.CapacityPeriod", "qc.Defect"),
    *("orders.Component", "orders.Product", "orders.BomLine", "orders.Buyer"),
    *("orders.ApiKey", "orders.WebhookEndpoint", "payments.Account"),
}
# What becomes of open work when it is years old: column -> value.
_CLOSED = {
    "orders_order.state": "CASE state WHEN 'cancelled' THEN state ELSE 'shipped' END",
    "orders_orderline.stage": "'shipped'",
    "orders_workorder.state": "'done'",
    "orders_partneed.reserved": "quantity",
    "orders_job.state": "CASE WHEN state IN ('declined', 'lapsed', 'withdrawn')"
    " THEN state ELSE 'done' END",
    "orders_delivery.state": "'received'",
    "orders_webhookdelivery.state": "'delivered'",
    "qc_batch.state": "'graded'",
    "qc_reworkticket.state": "'returned'",
    "payments_payable.open_minor": "0",
    "payments_payoutrun.state": "'done'",
    "payments_payout.state": "CASE state WHEN 'failed' THEN state ELSE 'paid' END",
    "phone_message.state": "CASE direction WHEN 'out' THEN 'delivered'"
    " ELSE 'handled' END",
    "matching_plan.state": "'released'",
}
_OLDER = "interval '120 days'"


@dataclass(frozen=True)
class _Plan:
    """Which models grow, and by how much the ids of a copy are moved."""

    growth: Growth
    grown: dict[type[models.Model], int]


def multiply(
    cursor: Any,
    tenant_id: int,
    factor: int,
    growth: Growth,
    *,
    tenants: Sequence[int] = (),
    leave: Sequence[str] = (),
) -> int:
    """Make ``factor`` times the tenant's rows; returns how many rows were added.

    ``cursor`` is the superuser's. With ``TENANTS`` the copies belong to ``tenants``
    (ids that exist). ``leave`` names models ("app.Model") that stay as they are.
    """
    plan = _plan(cursor, growth, {*leave})
    if growth is not Growth.TENANTS and factor < 2:
        return 0
    copies = len(tenants) if growth is Growth.TENANTS else factor - 1
    cursor.execute("SET session_replication_role = replica")
    added = 0
    for model in plan.grown:
        cursor.execute(
            _statement(plan, model),
            {"tenant": tenant_id, "copies": copies, "tenants": list(tenants) or [0]},
        )
        added += cursor.rowcount
        _move_sequence(cursor, model)
    if growth is not Growth.TENANTS:
        cursor.execute(
            "UPDATE tenancy_counter SET value = value * %s WHERE tenant_id = %s",
            [factor, tenant_id],
        )
    cursor.execute("RESET session_replication_role")
    return added


def settle(cursor: Any) -> None:
    """Statistics and visibility maps as autovacuum leaves them behind."""
    cursor.execute("VACUUM (ANALYZE)")
    cursor.execute("CHECKPOINT")


def _plan(cursor: Any, growth: Growth, leave: set[str]) -> _Plan:
    fixed = set(leave)
    if growth is not Growth.TENANTS:
        fixed |= _SINGLE
    if growth is Growth.HISTORY:
        fixed |= _LASTING
    grown = {}
    for model in apps.get_models():
        if not issubclass(model, TenantModel) or model._meta.label in fixed:
            continue
        cursor.execute(f'SELECT COALESCE(max(id), 0) FROM "{model._meta.db_table}"')
        grown[model] = cursor.fetchone()[0]
    return _Plan(growth, {model: step for model, step in grown.items() if step})


def _statement(plan: _Plan, model: type[models.Model]) -> str:
    fields = model._meta.local_concrete_fields
    table = model._meta.db_table
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(_value(plan, model, field) for field in fields)
    condition = f'"{table}".tenant_id = %(tenant)s'
    if plan.growth is Growth.NETWORK and model._meta.label == "payments.Account":
        # The tenant's own accounts are one of a kind; only workshops' are copied.
        condition += " AND workshop_id IS NOT NULL"
    return (
        f'INSERT INTO "{table}" ({columns}) SELECT {values} '
        f'FROM "{table}", generate_series(1, %(copies)s) AS copy(k) WHERE {condition}'
    )


def _value(plan: _Plan, model: type[models.Model], field: Any) -> str:
    column = f'"{field.column}"'
    if field.primary_key:
        return f"{column} + k * {plan.grown[model]}"
    if field.name == "tenant":
        return "(%(tenants)s::bigint[])[k]" if plan.growth is Growth.TENANTS else column
    step = plan.grown.get(field.related_model) if field.is_relation else None
    if step:
        return _parent(plan, field, column, step)
    if field.name == "subject_id":
        return f"{column} + k * CASE subject_type {_subjects(plan)} ELSE 0 END"
    if plan.growth is Growth.HISTORY:
        closed = _CLOSED.get(f"{model._meta.db_table}.{field.column}")
        if closed:
            return closed
        if isinstance(field, models.DateTimeField):
            return f"{column} - k * {_OLDER}"
        if isinstance(field, models.DateField):
            return f"({column} - k * {_OLDER})::date"
    if plan.growth is not Growth.TENANTS and field.name in _told_apart(plan, model):
        return _varied(plan, field, column)
    return column


def _parent(plan: _Plan, field: Any, column: str, step: int) -> str:
    if plan.growth is Growth.NETWORK and (
        field.related_model._meta.label == "payments.Account"
    ):
        own = "SELECT id FROM payments_account WHERE workshop_id IS NULL"
        return f"CASE WHEN {column} IN ({own}) THEN 0 ELSE k END * {step} + {column}"
    return f"{column} + k * {step}"


def _subjects(plan: _Plan) -> str:
    return " ".join(
        f"WHEN '{model._meta.model_name}' THEN {step}"
        for model, step in plan.grown.items()
    )


def _told_apart(plan: _Plan, model: type[models.Model]) -> set[str]:
    """Columns that must differ between copies: one of each unique set of columns that
    does not hold a moved id already."""
    found = set()
    for rule in model._meta.constraints:
        if not isinstance(rule, models.UniqueConstraint):
            continue
        fields = [model._meta.get_field(name) for name in rule.fields]
        if any(field.related_model in plan.grown for field in fields):
            continue
        own = [one for one in fields if not one.is_relation and not one.choices]
        # Never the one that may be empty, where there is another.
        own.sort(key=lambda one: one.blank)
        found.add(own[0].name)
    return found


def _varied(plan: _Plan, field: Any, column: str) -> str:
    if isinstance(field, models.UUIDField):
        return "gen_random_uuid()"
    if isinstance(field, models.CharField):
        if field.name == "phone":
            return (
                f"left({column}, -8) || (id + k * {plan.grown[field.model]} + 20000000)"
            )
        # The new id, so that copies of copies differ as well; few letters of the old
        # text, so that a search for it finds as many rows as before.
        new = f"(id + k * {plan.grown[field.model]})::text"
        if field.max_length < 12:
            return f"left(md5({new}), {field.max_length})"
        return (
            f"CASE {column} WHEN '' THEN '' ELSE left({column}, 2) || '~' || {new} END"
        )
    table = field.model._meta.db_table
    return f'{column} + k * (SELECT max({column}) FROM "{table}")'


def _move_sequence(cursor: Any, model: type[models.Model]) -> None:
    table = model._meta.db_table
    cursor.execute(
        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id))"
        f' FROM "{table}"'
    )
