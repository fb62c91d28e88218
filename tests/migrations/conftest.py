"""Databases of their own, as for the backups."""

from tests.keeping.conftest import new_place  # noqa: F401
