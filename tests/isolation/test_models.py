"""Every model has rows in both tenants, or a reason why it belongs to none."""

import pytest
from django.apps import apps
from django.db import connection, models

from tests.isolation.conftest import World
from tests.isolation.world import SHARED, SHARED_TABLES, missing, our_models
from vrp.tenancy.models import TenantModel
from vrp.tenancy.scope import tenant_scope


def test_every_model_has_an_entry() -> None:
    assert missing() == set(), "make its rows in tests/isolation/rows.py"


def test_a_model_without_an_entry_is_noticed() -> None:
    class Meta:
        app_label = "orders"

    before = missing()
    values = {"__module__": __name__, "Meta": Meta}
    stranger = type("Stranger", (models.Model,), values)
    try:
        assert missing() - before == {"orders.Stranger"}
    finally:
        del apps.all_models["orders"][stranger._meta.model_name]
        apps.clear_cache()


def test_no_entry_is_left_over() -> None:
    known = {m._meta.label for m in apps.get_models(include_auto_created=True)}
    assert set(SHARED) <= known


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_both_tenants_have_rows(world: World, model: type[TenantModel]) -> None:
    for side in world:
        with tenant_scope(side.tenant):
            assert model.objects.exists()
            rows = model.objects.all()
            assert set(rows.values_list("tenant_id", flat=True)) == {side.tenant.pk}


def test_every_table_belongs_to_a_model(db: None) -> None:
    """A table that no model knows would be outside of every other test here."""
    known = {m._meta.db_table for m in apps.get_models(include_auto_created=True)}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT relname FROM pg_class
               WHERE relnamespace = 'public'::regnamespace
               AND relkind IN ('r', 'p', 'v', 'm', 'f')"""
        )
        found = {row[0] for row in cursor.fetchall()}
    assert found - known - SHARED_TABLES == set()
