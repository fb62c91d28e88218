"""PostgreSQL itself keeps tenants apart, whatever Python asks it: raw SQL only."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from tests.isolation.conftest import World
from tests.isolation.world import our_models
from vrp.tenancy.models import Tenant, TenantModel
from vrp.tenancy.scope import tenant_scope

REFUSED = "row-level security"
every_model = pytest.mark.parametrize(
    "model", our_models(), ids=lambda model: model._meta.label
)


def run(sql: str, *values: Any) -> tuple[int, list[Any]]:
    """How many rows a statement touched, and what it gave."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.rowcount, cursor.fetchall() if cursor.description else []


def refused(sql: str, *values: Any, match: str) -> None:
    """The database refuses the statement at once or when its constraints are checked."""

    def attempt() -> None:
        with transaction.atomic():
            run(sql, *values)
            connection.check_constraints()

    with pytest.raises(DatabaseError, match=match):
        attempt()


def copy_of(model: type[TenantModel], **changed: Any) -> tuple[str, list[Any]]:
    """SQL that inserts a copy of one visible row with some columns changed."""
    table, columns, values, given = model._meta.db_table, [], [], []
    for column in model._meta.local_concrete_fields:
        if column.primary_key:
            continue
        columns.append(f'"{column.column}"')
        values.append("%s" if column.column in changed else columns[-1])
        if column.column in changed:
            given.append(changed[column.column])
    sql = (
        f'INSERT INTO "{table}" ({", ".join(columns)})'
        f' SELECT {", ".join(values)} FROM "{table}" ORDER BY id LIMIT 1'
    )
    return sql, given


@every_model
def test_another_tenants_rows_are_not_there(
    world: World, model: type[TenantModel]
) -> None:
    table, theirs = model._meta.db_table, world.a.tenant.pk
    with tenant_scope(world.b.tenant):
        where = f'"{table}" WHERE tenant_id = %s'
        assert run(f"SELECT count(*) FROM {where}", theirs)[1] == [(0,)]
        assert run(f"DELETE FROM {where}", theirs)[0] == 0
        touch = f'UPDATE "{table}" SET tenant_id = tenant_id WHERE tenant_id = %s'
        assert run(touch, theirs)[0] == 0


@every_model
def test_nothing_is_written_for_another_tenant(
    world: World, model: type[TenantModel]
) -> None:
    with tenant_scope(world.b.tenant):
        sql, given = copy_of(model, tenant_id=world.a.tenant.pk)
        refused(sql, *given, match=REFUSED)
        # Where a trigger stands before the policy, it says no in its own words.
        own = "append-only|never change|may not|fixed|sealed|cannot"
        move = f'UPDATE "{model._meta.db_table}" SET tenant_id = %s'
        refused(move, world.a.tenant.pk, match=f"{REFUSED}|{own}")


@every_model
def test_without_a_tenant_nothing_is_there(
    world: World, model: type[TenantModel]
) -> None:
    table = model._meta.db_table
    assert run(f'SELECT count(*) FROM "{table}"')[1] == [(0,)]
    assert run(f'UPDATE "{table}" SET tenant_id = tenant_id')[0] == 0
    assert run(f'DELETE FROM "{table}"')[0] == 0
    with tenant_scope(world.a.tenant):
        columns = [
            c.column for c in model._meta.local_concrete_fields if c.attname != "id"
        ]
        listed = ", ".join(f'"{column}"' for column in columns)
        _, (row,) = run(f'SELECT {listed} FROM "{table}" ORDER BY id LIMIT 1')
    signs = ", ".join(["%s"] * len(row))
    sql = f'INSERT INTO "{table}" ({listed}) VALUES ({signs})'
    with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
        run(sql, *row)


def ties() -> Iterator[Any]:
    """Every column that names a row of a tenant's table."""
    for model in our_models():
        for column in model._meta.local_fields:
            parent = column.related_model
            if isinstance(column, models.ForeignKey) and issubclass(
                parent, TenantModel
            ):
                yield pytest.param(
                    model, column, id=f"{model._meta.label}.{column.name}"
                )


def test_there_are_ties_to_try() -> None:
    assert len(list(ties())) > 55


@pytest.mark.parametrize(("model", "column"), list(ties()))
def test_a_child_cannot_point_at_another_tenants_parent(
    world: World, model: type[TenantModel], column: models.ForeignKey[Any, Any]
) -> None:
    table, parent = model._meta.db_table, column.related_model
    with tenant_scope(world.a.tenant):
        taken = model._base_manager.exclude(**{f"{column.attname}": None})
        free = parent._base_manager.order_by("pk")
        if column.one_to_one:
            free = free.exclude(pk__in=taken.values(column.attname))
        theirs = free.values_list("pk", flat=True)[0]
    with tenant_scope(world.b.tenant):
        connection.check_constraints()
        # Our own triggers would refuse first; it is the foreign key that must.
        run(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        chosen = f'SELECT min(id) FROM "{table}" WHERE "{column.column}" IS NOT NULL'
        row = run(chosen)[1][0][0] or run(f'SELECT min(id) FROM "{table}"')[1][0][0]
        change = f'UPDATE "{table}" SET "{column.column}" = %s WHERE id = %s'
        if model._meta.label == "orders.BomLine" and column.name != "component":
            other = "parent_id" if column.name == "product" else "product_id"
            change = change.replace(" WHERE", f", {other} = NULL WHERE")
        if model._meta.label == "payments.Account":
            change = change.replace(" WHERE", ", kind = 'workshop' WHERE")
        refused(change, theirs, row, match="same_tenant")


def test_no_function_runs_with_more_rights_than_its_caller(db: None) -> None:
    """A SECURITY DEFINER function, or a view, would read past the policies."""
    _, found = run(
        """SELECT proname FROM pg_proc
           WHERE prosecdef AND pronamespace = 'public'::regnamespace"""
    )
    assert found == []


def test_every_policy_is_the_one_policy(db: None) -> None:
    """One permissive policy a table, for every command and role, on both sides."""
    tables = {model._meta.db_table for model in our_models()}
    _, found = run(
        """SELECT tablename, permissive, roles::text, cmd, qual = with_check, qual
           FROM pg_policies WHERE schemaname = 'public'"""
    )
    of_tenants = [row[1:] for row in found if row[0] in tables]
    assert len(of_tenants) == len(tables)
    (only,) = set(of_tenants)
    assert only[:4] == ("PERMISSIVE", "{public}", "ALL", True)
    assert "current_setting('vrp.tenant'" in only[4]


def test_the_role_we_run_as_is_bound_by_the_policies(db: None) -> None:
    _, found = run(
        "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    assert found == [(False, False)]


@every_model
def test_every_tenant_table_is_under_forced_row_level_security(
    db: None, model: type[TenantModel]
) -> None:
    _, found = run(
        """SELECT relrowsecurity, relforcerowsecurity FROM pg_class
           WHERE oid = %s::regclass""",
        model._meta.db_table,
    )
    assert found == [(True, True)], "end its migration with vrp.tenancy.secure"


def test_no_model_is_left_out(db: None) -> None:
    tenants = {m for m in apps.get_models() if hasattr(m, "tenant_id")}
    assert {m._meta.label for m in tenants - set(our_models())} == {
        "accounts.Membership"
    }
    assert not issubclass(Tenant, TenantModel)
