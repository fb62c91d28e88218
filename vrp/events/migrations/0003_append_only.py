"""Events are append-only for every client: only sealing may touch a line, once."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.number IS NULL AND NEW.number IS NOT NULL
       AND (to_jsonb(OLD) - 'number' - 'hash') = (to_jsonb(NEW) - 'number' - 'hash')
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'events are append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events_event
    FOR EACH ROW EXECUTE FUNCTION events_append_only();
"""
BACKWARD = """
DROP TRIGGER events_append_only ON events_event;
DROP FUNCTION events_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0002_row_level_security")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
