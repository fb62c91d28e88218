"""Django's PostgreSQL backend, plus one thing: the database always knows the tenant.

Row-level security compares ``tenant_id`` with the session variable ``vrp.tenant``. This
wrapper sets that variable lazily, in front of the first query after the active scope
changed. PostgreSQL undoes a ``set_config`` when the transaction or savepoint that ran it
rolls back, so a rollback makes the known value unknown and it is sent anew.
"""

from typing import Any

from django.db.backends.postgresql import base
from psycopg2.extensions import TRANSACTION_STATUS_INERROR

from vrp.tenancy.scope import active_tenant_id

UNKNOWN = object()


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL connection that carries the active tenant to the server."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told: object = UNKNOWN
        self.execute_wrappers.append(self._with_tenant)

    def _with_tenant(
        self, execute: Any, sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        wanted = active_tenant_id()
        if wanted != self._told and not self._is_aborted():
            with self.connection.cursor() as cursor:
                value = "" if wanted is None else str(wanted)
                cursor.execute("SELECT set_config('vrp.tenant', %s, false)", [value])
            self._told = wanted
        return execute(sql, params, many, context)

    def _is_aborted(self) -> bool:
        """In a failed transaction only its rollback may be sent."""
        return self.connection.info.transaction_status == TRANSACTION_STATUS_INERROR

    def init_connection_state(self) -> None:
        self._told = UNKNOWN
        super().init_connection_state()

    def _rollback(self) -> None:
        super()._rollback()  # type: ignore[misc]
        self._told = UNKNOWN

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)  # type: ignore[misc]
        self._told = UNKNOWN
