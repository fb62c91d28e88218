"""The chain grows by one link at a time, and only by sealing.

0003 guards lines that are there. Without this, a line could arrive with a number and a
hash of its own, or be sealed far ahead of the chain: no later seal would mend the gap,
and the highest number of all would leave none for the next line.

Each CREATE TRIGGER waits for the table's writers, then holds them for a moment only.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION events_chain_grows() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        RAISE EXCEPTION 'a new event is not sealed yet: number and hash stay empty'
            USING ERRCODE = 'restrict_violation';
    END IF;
    -- After the statement, so that a whole batch may be sealed by one.
    IF NEW.number <> 1 AND NOT EXISTS (
        SELECT 1 FROM public.events_event
        WHERE tenant_id = NEW.tenant_id AND number = NEW.number - 1
    ) OR NEW.number < 1 THEN
        RAISE EXCEPTION 'event %: the chain has no line before %', NEW.id, NEW.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER events_arrive_open AFTER INSERT ON events_event
    FOR EACH ROW WHEN (NEW.number IS NOT NULL OR NEW.hash <> '')
    EXECUTE FUNCTION events_chain_grows();
CREATE TRIGGER events_chain_grows AFTER UPDATE ON events_event
    FOR EACH ROW WHEN (OLD.number IS NULL AND NEW.number IS NOT NULL)
    EXECUTE FUNCTION events_chain_grows();
"""
BACKWARD = """
DROP TRIGGER events_chain_grows ON events_event;
DROP TRIGGER events_arrive_open ON events_event;
DROP FUNCTION events_chain_grows();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0005_indexes_for_growth")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
