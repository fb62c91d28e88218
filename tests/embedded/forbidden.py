"""What the application's role of the database must never be able to do."""

from contextlib import closing

import psycopg2

FORBIDDEN = [
    "TRUNCATE events_event",
    "TRUNCATE payments_entry CASCADE",
    "DROP TABLE events_event",
    "ALTER TABLE events_event DISABLE TRIGGER events_append_only",
    "ALTER TABLE events_event DISABLE TRIGGER ALL",
    "ALTER TABLE payments_posting DISABLE TRIGGER ledger_append_only",
    "DROP TRIGGER events_append_only ON events_event",
    "ALTER TABLE orders_order NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE orders_order DISABLE ROW LEVEL SECURITY",
    "DROP POLICY tenant_only ON orders_order",
    "CREATE POLICY all_of_it ON orders_order USING (true)",
    "ALTER TABLE orders_order ADD COLUMN more int",
    "CREATE TABLE mine (n int)",
    "CREATE TEMPORARY TABLE mine (n int)",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "SELECT setval('events_event_id_seq', 1)",
    "SET session_replication_role = replica",
    "SET ROLE vrp_owner",
    "ALTER ROLE vrp_app BYPASSRLS",
    "GRANT vrp_owner TO vrp_app",
    "COPY events_event FROM PROGRAM 'true'",
]


def refused(url: str, statement: str) -> bool:
    """Whether the statement fails for want of a right, and for nothing else."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(statement)
        except (
            psycopg2.errors.InsufficientPrivilege,
            psycopg2.errors.ReadOnlySqlTransaction,
        ):
            return True
        return False
