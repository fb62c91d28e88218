"""Tenants are kept apart twice: by django-scopes in Python, by policies in PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, connections, models, transaction
from django_scopes.exceptions import ScopeError

from artisans.models import Area, Workshop
from tests.builders import Network, build_network
from vrp.tenancy.models import Tenant, TenantModel
from vrp.tenancy.scope import tenant_scope

pytestmark = pytest.mark.django_db

# Tables of our own without a tenant, and why that is right.
SHARED = {
    "tenancy.Tenant": "the directory of tenants itself",
    "accounts.User": "a person may work for several tenants",
    "accounts.Membership": "read at sign-in, before a tenant is known",
    "accounts.StaffSession": "a person's, who may work for several tenants",
    "accounts.SecondFactor": "a person's, asked for before a tenant is known",
    "accounts.RecoveryCode": "a person's, asked for before a tenant is known",
    "accounts.Tries": "counted before it is known who knocks",
    "ops.Heartbeat": "signs of life of processes",
}
OUR_APPS = {
    "tenancy", "accounts", "events", "api", "console", "ops",
    "artisans", "orders", "qc", "matching", "payments", "phone",
}  # fmt: skip


def our_models() -> list[type[models.Model]]:
    return [m for m in apps.get_models() if m._meta.app_label in OUR_APPS]


def test_every_model_is_a_tenants_or_says_why_not() -> None:
    shared = {m._meta.label for m in our_models() if not issubclass(m, TenantModel)}
    through = {m._meta.label for m in our_models() if m._meta.auto_created}
    assert shared - through - {"accounts.User_groups"} == set(SHARED)


@pytest.mark.parametrize(
    "model",
    [m for m in our_models() if issubclass(m, TenantModel)],
    ids=lambda model: model._meta.label,
)
def test_every_tenant_table_is_under_forced_row_level_security(
    model: type[models.Model],
) -> None:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relrowsecurity, c.relforcerowsecurity,
                      (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid)
               FROM pg_class c WHERE c.oid = %s::regclass""",
            [table],
        )
        assert cursor.fetchone() == (True, True, 1), (
            f'end the migration of {table} with secure("...", "{model.__name__}")'
        )
        cursor.execute(
            """SELECT array_agg(a.attname::text) FROM pg_constraint k
               JOIN unnest(k.conkey) AS key(n) ON true
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.n
               WHERE k.conrelid = %s::regclass AND k.contype = 'f' GROUP BY k.oid""",
            [table],
        )
        foreign = {frozenset(row[0]) for row in cursor.fetchall()}
    for field in model._meta.local_fields:
        parent = field.related_model
        if (
            isinstance(field, models.ForeignKey)
            and isinstance(parent, type)
            and issubclass(parent, TenantModel)
        ):
            assert frozenset({"tenant_id", field.column}) in foreign, field


def test_the_role_we_run_as_is_bound_by_the_policies() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (False, False)


def count_raw(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


def test_without_a_tenant_nothing_is_seen(other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        build_network(other_tenant)
        assert count_raw("artisans_workshop") == 5
    with pytest.raises(ScopeError):
        Workshop.objects.count()
    assert count_raw("artisans_workshop") == 0
    assert Workshop._base_manager.count() == 0


def test_with_a_tenant_set_another_cannot_be_written(
    network: Network, other_tenant: Tenant
) -> None:
    with (
        pytest.raises(DatabaseError, match="row-level security"),
        transaction.atomic(),
    ):
        Area.objects.create(tenant=other_tenant, code="x", name="x", region="x")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE artisans_area SET tenant_id = tenant_id")
        assert cursor.rowcount == 1
    with (
        pytest.raises(DatabaseError, match="row-level security"),
        transaction.atomic(),
    ):
        Area.objects.update(tenant=other_tenant)


def test_a_child_cannot_point_at_another_tenants_parent(
    network: Network, other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant):
        theirs = Area.objects.create(
            tenant=other_tenant, code="bole", name="Bole", region="Addis"
        )
    network.horn[0].area = theirs

    @transaction.atomic
    def save_and_check() -> None:
        network.horn[0].save(update_fields=["area"])
        connection.check_constraints()

    with pytest.raises(DatabaseError, match="same_tenant"):
        save_and_check()


def test_a_rollback_does_not_leave_the_wrong_tenant(
    network: Network, other_tenant: Tenant
) -> None:
    """PostgreSQL undoes the setting with the savepoint; the next query sets it anew."""
    assert count_raw("artisans_workshop") == 5
    try:
        with transaction.atomic(), tenant_scope(other_tenant):
            assert count_raw("artisans_workshop") == 0
            raise LookupError
    except LookupError:
        pass
    assert count_raw("artisans_workshop") == 5
    with tenant_scope(other_tenant):
        try:
            with transaction.atomic():
                count_raw("artisans_workshop")
                count_raw("no_such_table")
        except DatabaseError:
            pass
        assert count_raw("artisans_workshop") == 0


@pytest.mark.django_db(transaction=True)
def test_a_connection_never_carries_a_tenant_over() -> None:
    tenants = [Tenant.objects.create(slug=slug, name=slug) for slug in ("a", "b")]
    for size, tenant in enumerate(tenants, start=1):
        with tenant_scope(tenant):
            for number in range(size):
                Area.objects.create(
                    tenant=tenant, code=str(number), name="x", region="x"
                )
    for turn in range(1_000):
        tenant = tenants[turn % 2]
        with tenant_scope(tenant):
            assert count_raw("artisans_area") == turn % 2 + 1
        if turn % 10 == 0:
            assert count_raw("artisans_area") == 0

    def in_a_thread() -> int:
        try:
            return count_raw("artisans_area")
        finally:
            connections.close_all()

    with tenant_scope(tenants[1]), ThreadPoolExecutor(1) as pool:
        assert pool.submit(in_a_thread).result() == 0
