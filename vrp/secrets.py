"""Credentials at rest: encrypted with the installation's field keys, newest first.

Every column that holds a secret which must be read again is a ``SealedField`` (or its
heir for callback addresses), so that ``manage.py rotate_secrets`` finds it; what need
only be compared is kept as a hash. A test walks the models and names what is neither.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.models import Model

from vrp.tenancy.scope import active_tenant

# How every Fernet token begins: its version byte and the zeros of its time.
MARK = "gAAAA"
BATCH = 200


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    boxes = [
        Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
        for key in keys
    ]
    return MultiFernet(boxes)


def seal_text(text: str) -> str:
    """Encrypt with the newest key."""
    return _box(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode()


def open_text(sealed: str) -> str:
    """Decrypt with whichever key fits.

    Raises ValueError when none does: VRP_FIELD_KEYS lost a key that is still in use.
    """
    try:
        return _box(tuple(settings.FIELD_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise ValueError("No key in VRP_FIELD_KEYS opens this secret.") from error


def is_newest(sealed: str) -> bool:
    """Whether the newest key alone opens it; empty needs no key."""
    if not sealed:
        return True
    try:
        _box((settings.FIELD_KEYS[0],)).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


class SealedField(models.TextField):
    """A column whose text went through ``seal_text``; who needs it calls ``open_text``."""


class AddressSecretField(SealedField):
    """The secret part of a callback address: clear in Python, sealed in the database.

    It is compared at each callback and handed to the operator with each request. A row
    written before these were sealed holds it in clear, and is read as it is.
    """

    def from_db_value(self, value: str | None, *args: Any) -> str | None:
        return open_text(value) if value and value.startswith(MARK) else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return seal_text(value) if value and not value.startswith(MARK) else value


# -- a new key for what is there -------------------------------------------------------


@dataclass
class Resealed:
    """What became of one column: ``lost`` rows no key opens; ``left`` are not done."""

    column: str
    done: int = 0
    lost: int = 0
    left: int = 0


def sealed_columns() -> Iterator[tuple[type[Model], str]]:
    """Every model and field that is sealed."""
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, SealedField):
                yield model, field.name


def is_tenants(model: type[Model]) -> bool:
    """Whether its rows belong to tenants, and so are seen in their scopes only."""
    return any(field.name == "tenant" for field in model._meta.local_fields)


def reseal(
    model: type[Model], name: str, *, change: bool = True, only_clear: bool = False
) -> Resealed:
    """Seal one column with the newest key, in the active tenant's scope if it has one.

    Batches of 200 rows, each committed for itself; what is done already is passed over,
    so that it can be cut off and begun again. A row that was changed meanwhile keeps the
    change. ``change=False`` only counts; ``only_clear`` takes those that were never sealed
    and leaves other keys' alone. Written to the table past the model: the field
    would open what it reads.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    column = connection.ops.quote_name(
        next(str(one.column) for one in model._meta.local_fields if one.name == name)
    )
    found, last = Resealed(f"{model._meta.label}.{name}"), 0
    tenant = active_tenant() if is_tenants(model) else None
    only, values = ("AND tenant_id = %s", [tenant.pk]) if tenant else ("", [])
    while rows := _batch(table, column, only, [last, *values]):
        for pk, sealed in rows:
            last = pk
            if is_newest(sealed) or (only_clear and sealed.startswith(MARK)):
                continue
            try:
                clear = open_text(sealed) if sealed.startswith(MARK) else sealed
            except ValueError:
                found.lost += 1
                continue
            if not change:
                found.left += 1
                continue
            with connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE {table} SET {column} = %s "  # noqa: S608  the model's names
                    f"WHERE id = %s AND {column} = %s",
                    [seal_text(clear), pk, sealed],
                )
                found.done += cursor.rowcount
    return found


def _batch(
    table: str, column: str, only: str, values: list[int]
) -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, {column} FROM {table} "  # noqa: S608  the model's own names
            f"WHERE id > %s {only} "
            f"AND {column} <> '' ORDER BY id LIMIT {BATCH}",
            values,
        )
        return cursor.fetchall()
