"""Every rule of the migration linter refuses what it is there for, and no more."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    ValidateConstraint,
)
from django.core.management import call_command
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from vrp.ops.migration_rules import landed, offences_of
from vrp.tenancy.secure import secure

BASE = Path(__file__).parent / "base.txt"
ORDER = "order"
POSITIVE = models.CheckConstraint(condition=models.Q(id__gt=0), name="id_positive")
INDEX = models.Index(fields=["tenant", "ship_by"], name="order_by_age")


def judge(*operations: Any, **more: Any) -> list[str]:
    """The rules that a migration of these operations would offend."""
    kind = type("Migration", (migrations.Migration,), {
        "operations": list(operations), "__module__": __name__, **more
    })  # fmt: skip
    found = offences_of(kind("0999_tried", "orders"), _today(), landed(BASE), set())
    return sorted({offence.rule for offence in found})


@cache
def _today() -> ProjectState:
    return MigrationLoader(None, ignore_no_migrations=True).project_state()


def add(field: models.Field) -> migrations.AddField:
    return migrations.AddField(ORDER, "tried", field)


def sql(text: str, **hints: str) -> migrations.RunSQL:
    return migrations.RunSQL(text, hints=hints)


def do_nothing(apps: Any, editor: Any) -> None:
    raise AssertionError("the linter runs nobody's code")


def named(value: Any) -> str:
    """The same name in each process of a parallel run: without addresses in memory."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        (add(models.IntegerField(default=0)), "not null"),
        (sql("ALTER TABLE orders_order ADD COLUMN tried int NOT NULL"), "not null"),
        (sql("ALTER TABLE orders_order ALTER COLUMN notes SET NOT NULL"), "not null"),
        (migrations.AlterField(ORDER, "po_number", models.IntegerField()), "type"),
        (
            migrations.AlterField(ORDER, "po_number", models.CharField(max_length=5)),
            "type",
        ),
        (sql("ALTER TABLE orders_order ADD COLUMN u uuid DEFAULT gen_random_uuid()"),
         "type"),
        (sql("ALTER TABLE orders_order ADD COLUMN s bigserial"), "type"),
        (migrations.AddIndex(ORDER, INDEX), "index"),
        (AddIndexConcurrently(ORDER, INDEX), "index"),
        (sql("CREATE INDEX i ON public.orders_order (notes)"), "index"),
        (migrations.AddConstraint(ORDER, POSITIVE), "constraint"),
        (sql("ALTER TABLE orders_order ADD CONSTRAINT u UNIQUE (id)"), "constraint"),
        (add(models.IntegerField(null=True, unique=True)), "constraint"),
        (migrations.RenameField(ORDER, "po_number", "po"), "rename"),
        (migrations.AlterModelTable(ORDER, "orders_other"), "rename"),
        (migrations.RemoveField(ORDER, "po_number"), "drop"),
        (sql("DROP TABLE orders_order"), "drop"),
        (sql("SET LOCAL lock_timeout = 0"), "lock timeout"),
        (sql("UPDATE orders_order SET notes = ''"), "data"),
        (migrations.RunPython(do_nothing), "data"),
    ],
    ids=named,
)  # fmt: skip
def test_refused(operation: Any, rule: str) -> None:
    assert judge(operation) == [rule]
    hidden = migrations.SeparateDatabaseAndState(database_operations=[operation])
    assert judge(hidden) == [rule], "also behind SeparateDatabaseAndState"


@pytest.mark.parametrize(
    "operation",
    [
        add(models.IntegerField(null=True)),
        add(models.IntegerField(db_default=0)),
        add(models.CharField(max_length=3, db_default="")),
        migrations.AlterField(ORDER, "po_number", models.CharField(max_length=900)),
        migrations.AlterField(ORDER, "po_number", models.TextField()),
        AddConstraintNotValid(ORDER, POSITIVE),
        sql("UPDATE orders_order SET notes = ''", live="twelve rows"),
        migrations.RunPython(do_nothing, hints={"live": "nothing is done"}),
    ],
    ids=named,
)
def test_allowed(operation: Any) -> None:
    assert judge(operation) == []


def test_an_index_beside_the_work() -> None:
    assert judge(AddIndexConcurrently(ORDER, INDEX), atomic=False) == []


def test_a_constraint_is_validated_in_a_migration_of_its_own() -> None:
    both = (
        AddConstraintNotValid(ORDER, POSITIVE),
        ValidateConstraint(ORDER, POSITIVE.name),
    )
    assert judge(*both) == ["constraint"]


def test_a_second_step_names_the_landed_first_one() -> None:
    gone = migrations.RemoveField(ORDER, "po_number")
    assert judge(gone, second_step_of="orders.0001_initial") == []
    assert judge(gone, second_step_of="orders.0999_tried") == ["drop"]


def test_new_tables_are_exempt() -> None:
    fields: list[tuple[str, models.Field]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("tenant", models.ForeignKey("tenancy.Tenant", models.PROTECT)),
        ("code", models.CharField(max_length=5)),
    ]
    index = models.Index(fields=["code"], name="tried_code")
    assert judge(
        migrations.CreateModel("Tried", fields),
        migrations.AddIndex("tried", index),
        migrations.AddField("tried", "more", models.IntegerField(default=0)),
        secure("orders", "Tried"),
    ) == []  # fmt: skip


def test_the_migrations_of_this_tree_are_safe() -> None:
    call_command("lint_migrations", verbosity=0)


def test_models_and_migrations_agree(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
