"""What a migration must not do to a system that people are working on.

While it runs, the old code still serves; a lock that waits makes every later query wait
behind it. The rules look at the SQL that each migration would send. Tables made by
migrations that have not landed yet are empty, and exempt. The base (the migrations that
have landed) is ``tests/migrations/base.txt``.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

NAME = r'(?:"?public"?\.)?"?(\w+)"?'
ALTERED: Final = re.compile(rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{NAME}", re.I)
INDEXED: Final = re.compile(rf"CREATE (?:UNIQUE )?INDEX\b.*? ON (?:ONLY )?{NAME}", re.I)
CREATED: Final = re.compile(rf"CREATE TABLE (?:IF NOT EXISTS )?{NAME}", re.I)
DROPPED: Final = re.compile(rf"DROP TABLE (?:IF EXISTS )?{NAME}", re.I)
CHANGED: Final = re.compile(rf"(?:UPDATE (?:ONLY )?|DELETE FROM ){NAME}", re.I)  # noqa: S608  # a pattern, not a statement
ADDED: Final = re.compile(rf"ADD COLUMN (?:IF NOT EXISTS )?{NAME}(.*)", re.I | re.S)
# Defaults that PostgreSQL stores once instead of writing every row.
STABLE: Final = ("now", "statement_timestamp", "transaction_timestamp")


@dataclass(frozen=True)
class Offence:
    """One thing that must not be done, and what to do instead."""

    migration: str
    rule: str
    words: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.rule}: {self.words}"


@dataclass
class Step:
    """One operation of a migration with the SQL it would send."""

    migration: migrations.Migration
    operation: Any
    widens: bool
    statements: list[str] = field(default_factory=list)


def landed(path: Path) -> set[str]:
    """Names like ``orders.0001_initial`` from a base file; its first line is the
    commit."""
    return set(path.read_text().split()[1:])


def lint(
    base: Collection[str], loader: MigrationLoader | None = None
) -> tuple[list[str], list[Offence]]:
    """Look at every migration of ours beyond the base: (their names, offences)."""
    loader = loader or MigrationLoader(None, ignore_no_migrations=True)
    seen: list[str] = []
    found: list[Offence] = []
    new_tables: set[str] = set()
    state = ProjectState(real_apps=loader.unmigrated_apps)
    for key in loader.graph._generate_plan(loader.graph.leaf_nodes(), at_end=True):
        migration = loader.graph.nodes[key]
        name = f"{key[0]}.{key[1]}"
        if name in base or not _is_ours(migration):
            state = migration.mutate_state(state, preserve=False)
            continue
        seen.append(name)
        found += offences_of(migration, state, base, new_tables)
        state = migration.mutate_state(state, preserve=False)
    return seen, found


def offences_of(
    migration: migrations.Migration,
    state: ProjectState,
    base: Collection[str],
    new_tables: set[str],
) -> list[Offence]:
    """Judge one migration that starts from this state; notes the tables it makes."""
    name = f"{migration.app_label}.{migration.name}"
    found: list[Offence] = []
    adding: set[str] = set()
    for step in _steps(migration, state):
        for statement in step.statements:
            if made := CREATED.match(statement):
                new_tables.add(made[1])
            for rule, words in _judge(step, statement, new_tables, base, adding):
                found.append(Offence(name, rule, words))
        found += _python(step, name)
    return found


def _is_ours(migration: migrations.Migration) -> bool:
    module = __import__(type(migration).__module__, fromlist=["x"])
    path = Path(module.__file__ or "/")
    return settings.BASE_DIR in path.parents and ".venv" not in path.parts


def _steps(migration: migrations.Migration, state: ProjectState) -> Iterator[Step]:
    """Each operation with its SQL, without asking or changing a database."""
    # The oldest server that we run on; otherwise Django would ask the one at hand.
    connection.__dict__.setdefault("pg_version", 15_00_00)
    for outer in migration.operations:
        before = state.clone()
        outer.state_forwards(migration.app_label, state := state.clone())
        inner: Sequence[Any] = [outer]
        if isinstance(outer, migrations.SeparateDatabaseAndState):
            inner = outer.database_operations
        now = before
        for operation in inner:
            after = now.clone()
            operation.state_forwards(migration.app_label, after)
            step = Step(migration, operation, _widens(operation, now, migration))
            if _may_be_run(operation):
                step.statements = _sql_of(operation, migration, now, after)
            yield step
            now = after


def _sql_of(
    operation: Any, migration: migrations.Migration, before: Any, after: Any
) -> list[str]:
    sent: list[str] = []

    def note(sql: Any, params: Any = ()) -> None:
        text = str(sql)
        if params:
            text %= tuple(editor.quote_value(value) for value in params)
        sent.append(" ".join(text.split()))

    editor: Any
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        editor.execute = note
        # Names that Django would look up are not needed to judge.
        editor._constraint_names = lambda *a, **k: []
        operation.database_forwards(migration.app_label, editor, before, after)
    return sent


def _may_be_run(operation: Any) -> bool:
    if isinstance(operation, migrations.RunPython):
        return operation.code.__module__ == "vrp.tenancy.secure"
    return True


def _widens(operation: Any, before: ProjectState, migration: Any) -> bool:
    """Whether a change of type only lets longer texts in, which rewrites nothing."""
    if not isinstance(operation, migrations.AlterField):
        return False
    model = before.models[migration.app_label, operation.model_name_lower]
    old, new = model.fields[operation.name], operation.field
    if not isinstance(old, models.CharField):
        return False
    if isinstance(new, models.TextField):
        return True
    return (
        isinstance(new, models.CharField)
        and bool(old.max_length and new.max_length)
        and (new.max_length or 0) >= (old.max_length or 0)
    )


def _judge(
    step: Step,
    statement: str,
    new_tables: set[str],
    base: Collection[str],
    adding: set[str],
) -> Iterator[tuple[str, str]]:
    if re.search(r"\bSET (LOCAL |SESSION )?(lock|statement)_timeout", statement, re.I):
        yield "lock timeout", "leave the time-outs to manage.py migrate"
    for pattern, judge in (
        (INDEXED, _index), (DROPPED, _drop_table), (CHANGED, _data), (ALTERED, _alter),
    ):  # fmt: skip
        touched = pattern.match(statement)
        if touched and touched[1] not in new_tables:
            yield from judge(step, statement, touched[1], base, adding)


Told = Iterator[tuple[str, str]]


def _index(step: Step, statement: str, table: str, *_: Any) -> Told:
    if "CONCURRENTLY" not in statement.upper():
        yield "index", f"{table}: add it with AddIndexConcurrently and atomic = False"
    elif step.migration.atomic:
        yield "index", f"{table}: CONCURRENTLY needs atomic = False in the migration"


def _drop_table(
    step: Step, _: str, table: str, base: Collection[str], *__: Any
) -> Told:
    if not _is_second_step(step, base):
        yield "drop", f"{table}: {_TWO_STEPS}"


def _data(step: Step, _: str, table: str, *__: Any) -> Told:
    if not getattr(step.operation, "hints", {}).get("live"):
        yield "data", f"{table}: {_SAY_WHY}"


def _alter(
    step: Step, statement: str, table: str, base: Collection[str], adding: set[str]
) -> Told:
    upper = statement.upper()
    if " RENAME " in upper:
        yield "rename", f"{table}: the old code asks for the old name. {_TWO_STEPS}"
    if re.search(r" DROP COLUMN ", upper) and not _is_second_step(step, base):
        yield "drop", f"{table}: {_TWO_STEPS}"
    if re.search(r" ALTER COLUMN \S+ (SET DATA )?TYPE ", upper) and not step.widens:
        yield "type", f"{table}: every row is written anew; add a second column"
    if re.search(r" ALTER COLUMN \S+ SET NOT NULL", upper):
        yield "not null", f"{table}: add a CHECK (... IS NOT NULL) NOT VALID instead"
    if added := ADDED.search(statement):
        yield from _add_column(table, added[1], added[2], step)
    elif " ADD CONSTRAINT " in upper:
        if "NOT VALID" in upper:
            adding.add(table)
        elif "USING INDEX" not in upper:
            yield (
                "constraint",
                (
                    f"{table}: every row is checked under a lock; add it NOT VALID "
                    "(AddConstraintNotValid), validate it in the next migration; UNIQUE: "
                    "build the index concurrently, then USING INDEX"
                ),
            )
    if " VALIDATE CONSTRAINT " in upper and table in adding and step.migration.atomic:
        yield "constraint", f"{table}: validate it in a migration of its own"


def _add_column(table: str, column: str, rest: str, step: Step) -> Told:
    upper, name = rest.upper(), f"{table}.{column}"
    call = re.search(r"DEFAULT \(?(\w+)\(", rest, re.I)
    if (call and call[1].lower() not in STABLE) or re.search(
        r"GENERATED ALWAYS AS .* STORED|AS IDENTITY|\b(BIG|SMALL)?SERIAL\b", upper
    ):
        yield "type", f"{name}: every row is written anew to hold its value"
    if re.search(r"\bUNIQUE\b|\bPRIMARY KEY\b", upper):
        yield "constraint", f"{name}: builds a unique index under a lock"
    if "NOT NULL" not in upper:
        return
    dropped = any(
        re.search(rf'ALTER COLUMN "?{column}"? DROP DEFAULT', other, re.I)
        for other in step.statements
    )
    if "DEFAULT" not in upper or dropped:
        yield (
            "not null",
            (
                f"{name}: the old code, still serving, inserts rows without it; keep a "
                "default in the database (db_default) or allow NULL"
            ),
        )


def _is_second_step(step: Step, base: Collection[str]) -> bool:
    """The migration names the landed one since which no code asks for it any more."""
    return getattr(step.migration, "second_step_of", "") in base


def _python(step: Step, name: str) -> Iterator[Offence]:
    operation = step.operation
    if (
        isinstance(operation, migrations.RunPython)
        and not _may_be_run(operation)
        and not operation.hints.get("live")
    ):
        yield Offence(name, "data", _SAY_WHY)


_TWO_STEPS = (
    "two steps: first land code that does not need it (and take the field out of the "
    "state), then name that migration here: second_step_of = 'app.0001_name'"
)
_SAY_WHY = (
    "moves data: keep it short or in batches, and say why it is safe on a live system: "
    "hints={'live': '...'}"
)
