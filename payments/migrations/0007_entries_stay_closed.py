"""An entry is complete when its transaction commits: no later posting joins it.

0003 lets nobody change or remove a posting, but a balanced pair could still be added to
an old entry. Its row carries the transaction that wrote it; a savepoint has a number of
its own there, so what counts is whether that number is still in progress: a row that can
be seen and is not committed is our own.

``ledger_balanced`` gets a fixed search path, so that a temporary table of the same name
cannot stand in for the ledger. Each CREATE TRIGGER waits for the table's writers, then
holds them for a moment only.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION ledger_entry_closed() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE made bigint; ours bigint; apart bigint;
BEGIN
    SELECT xmin::text::bigint INTO made FROM public.payments_entry
        WHERE tenant_id = NEW.tenant_id AND id = NEW.entry_id;
    IF NOT FOUND THEN
        RETURN NULL;  -- the foreign key refuses it
    END IF;
    -- xmin holds the lower 32 bits: take the full number that lies nearest to ours.
    ours := pg_current_xact_id()::text::bigint;
    apart := (made - (ours & 4294967295) + 4294967296) & 4294967295;
    IF apart >= 2147483648 THEN
        apart := apart - 4294967296;
    END IF;
    IF ours + apart < 3 OR made < 3 OR pg_xact_status((ours + apart)::text::xid8)
            IS DISTINCT FROM 'in progress' THEN
        RAISE EXCEPTION 'entry % is closed; post another one', NEW.entry_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_entry_closed AFTER INSERT ON payments_posting
    FOR EACH ROW EXECUTE FUNCTION ledger_entry_closed();
ALTER FUNCTION ledger_balanced() SET search_path = pg_catalog, public, pg_temp;
"""
BACKWARD = """
ALTER FUNCTION ledger_balanced() RESET search_path;
DROP TRIGGER ledger_entry_closed ON payments_posting;
DROP FUNCTION ledger_entry_closed();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_indexes_for_growth")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
