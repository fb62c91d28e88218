"""Preview and load spreadsheets: all of a file, or nothing of it.

A preview *is* the load, rolled back: what it says is what will happen. Loading the same
file again changes nothing, because every row is compared with what is there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone

from vrp.accounts.enums import Permission
from vrp.accounts.models import User
from vrp.digits import plain_day, whole_number
from vrp.errors import DomainError, IllegalMove, Invalid
from vrp.events.services import Actor, record
from vrp.imports.models import ImportFile
from vrp.imports.reader import Column, Row, read_rows
from vrp.tenancy.models import Tenant

Value = TypeVar("Value")

MAX_SHOWN = 200
# A file of 50,000 bad rows must not fill the memory with their reasons.
MAX_REFUSED = 2_000


class TooManyMistakes(Exception):
    """There is no use in reading on."""


@dataclass
class Outcome:
    """What a file does: counts, and every row that is not acceptable with its reason."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    _told: set[tuple[int, str, str]] = field(
        default_factory=set, init=False, repr=False, compare=False
    )

    def refuse(self, line: int, column: str, reason: str) -> None:
        """Note that a row is not acceptable; the same note twice is one.

        Raises ``TooManyMistakes`` after 2,000 of them.
        """
        if len(self.errors) >= MAX_REFUSED:
            raise TooManyMistakes
        if (line, column, reason) not in self._told:
            self._told.add((line, column, reason))
            self.errors.append({"line": line, "column": column, "reason": reason})

    def sort(self) -> None:
        """Bring the refusals into the order of the file."""
        self.errors.sort(key=lambda error: error["line"])

    def summary(self) -> dict[str, int]:
        """Counts only, for the record."""
        return {
            "created": self.created,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "errors": len(self.errors),
        }


@dataclass
class Reading:
    """Reads one row's columns; each mistake is noted, so one go tells them all."""

    line: int
    outcome: Outcome
    failed: bool = False

    def take(self, read: Callable[[], Value]) -> Value | None:
        """What ``read`` gives, or None with its ``Invalid`` noted."""
        try:
            return read()
        except Invalid as error:
            self.refuse(error)
            return None

    def refuse(self, error: Invalid) -> None:
        """Note a mistake of this row."""
        self.failed = True
        self.outcome.refuse(self.line, error.field, error.message)


@dataclass(frozen=True)
class Importer:
    """One kind of file. ``load`` writes rows and notes refusals in the outcome."""

    kind: str
    title: str
    permission: Permission
    columns: list[Column]
    load: Callable[[Tenant, list[Row], Actor, Outcome], None]


_importers: dict[str, Importer] = {}


def register(importer: Importer) -> Importer:
    """Make a kind of file known."""
    _importers[importer.kind] = importer
    return importer


def importer_of(kind: str) -> Importer:
    """The importer of a kind. Raises KeyError for an unknown one."""
    return _importers[kind]


def importers() -> list[Importer]:
    """All kinds, by name."""
    return [_importers[kind] for kind in sorted(_importers)]


class _RollBack(Exception):
    """Leaves the transaction without keeping anything."""


def preview(*, tenant: Tenant, kind: str, content: bytes, actor: Actor) -> Outcome:
    """What loading this file would do. Writes nothing.

    Raises ``Invalid`` when the file cannot be read at all.
    """
    outcome = Outcome()
    try:
        with transaction.atomic():
            _run(tenant, kind, content, actor, outcome)
            raise _RollBack
    except _RollBack:
        return outcome


def load_content(*, tenant: Tenant, kind: str, content: bytes, actor: Actor) -> Outcome:
    """Load a file's rows, all or nothing: with any refused row nothing is kept."""
    outcome = Outcome()
    try:
        with transaction.atomic():
            _run(tenant, kind, content, actor, outcome)
            if outcome.errors:
                raise _RollBack
    except _RollBack:
        outcome.created = outcome.changed = outcome.unchanged = 0
    return outcome


def _run(
    tenant: Tenant, kind: str, content: bytes, actor: Actor, outcome: Outcome
) -> None:
    importer = importer_of(kind)
    rows = read_rows(content, importer.columns)
    # Two files of one tenant are loaded one after the other.
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    try:
        with transaction.atomic():
            importer.load(tenant, rows, actor, outcome)
    except TooManyMistakes:
        reason = f"More than {MAX_REFUSED:,} mistakes; the rest was not looked at."
        outcome.errors.append({"line": 0, "column": "", "reason": reason})
    except DomainError as error:
        outcome.refuse(0, error.field, error.message)
    except IntegrityError:
        outcome.refuse(0, "", "Somebody changed the same rows just now; try again.")
    outcome.sort()


@transaction.atomic
def upload(
    *, tenant: Tenant, kind: str, name: str, content: bytes, user: User
) -> ImportFile:
    """Keep an uploaded file for its preview. Raises ``Invalid`` if it cannot be read."""
    read_rows(content, importer_of(kind).columns)
    clean = "".join(sign for sign in name if sign.isprintable()).strip()
    return ImportFile.objects.create(
        tenant=tenant,
        kind=kind,
        name=clean[:120] or f"{kind}.csv",
        content=content,
        uploaded_by=user,
    )


@transaction.atomic
def load_file(*, file: ImportFile, actor: Actor) -> Outcome:
    """Load an uploaded file once. Raises ``IllegalMove`` if it has errors.

    Loading it again changes nothing and gives what the first time gave.
    """
    file = ImportFile.objects.select_for_update(of=("self",)).get(pk=file.pk)
    if file.loaded_at:
        counts = ("created", "changed", "unchanged")
        return Outcome(**{name: file.summary.get(name, 0) for name in counts})
    outcome = load_content(
        tenant=file.tenant, kind=file.kind, content=bytes(file.content), actor=actor
    )
    if outcome.errors:
        raise IllegalMove(
            f"{len(outcome.errors)} rows are not acceptable, so nothing was loaded."
        )
    file.loaded_at, file.summary = timezone.now(), outcome.summary()
    file.save(update_fields=["loaded_at", "summary"])
    record("import.loaded", subject=file, actor=actor, data=outcome.summary())
    return outcome


def parse_choice(value: str, choices: Any, column: str) -> str:
    """The choice of a TextChoices, in any case; ``Invalid`` naming them otherwise."""
    if value.casefold() not in choices.values:
        listed = ", ".join(str(v) for v in choices.values if v)
        raise Invalid(f"{quoted(value)} is not one of {listed}.", field=column)
    return value.casefold()


def parse_number(value: str, column: str, *, low: int, high: int) -> int:
    """A whole number within bounds; ``Invalid`` otherwise."""
    number = whole_number(value)
    if number is None or not low <= number <= high:
        raise Invalid(f"Give a whole number from {low} to {high:,}.", field=column)
    return number


def parse_date(value: str, column: str) -> date:
    """A date written 2027-03-29; ``Invalid`` otherwise."""
    day = plain_day(value)
    if day is None:
        raise Invalid("Write the date as 2027-03-29.", field=column)
    return day


def quoted(value: str) -> str:
    """A value of the file, short enough for a message."""
    return f'"{value[:20]}..."' if len(value) > 20 else f'"{value}"'
