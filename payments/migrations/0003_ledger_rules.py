"""The ledger's own laws, kept by the database against every client.

Entries and postings cannot be changed or removed; when a transaction commits, the
postings of each entry it touched sum to zero in each currency.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % refused; post a reversal', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON payments_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON payments_posting
    FOR EACH ROW EXECUTE FUNCTION ledger_append_only();

CREATE FUNCTION ledger_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong record; entry bigint; asked text;
BEGIN
    -- At commit another tenant may be set: look with the eyes of the row's own.
    asked := current_setting('vrp.tenant', true);
    PERFORM set_config('vrp.tenant', NEW.tenant_id::text, true);
    IF TG_TABLE_NAME = 'payments_entry' THEN
        entry := NEW.id;
        IF NOT EXISTS (SELECT 1 FROM payments_posting
                       WHERE tenant_id = NEW.tenant_id AND entry_id = entry) THEN
            RAISE EXCEPTION 'entry % has no postings', entry
                USING ERRCODE = 'check_violation';
        END IF;
    ELSE
        entry := NEW.entry_id;
    END IF;
    SELECT currency, sum(amount_minor) AS total INTO wrong FROM payments_posting
        WHERE tenant_id = NEW.tenant_id AND entry_id = entry
        GROUP BY currency HAVING sum(amount_minor) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % is off by % %', entry, wrong.total, wrong.currency
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM set_config('vrp.tenant', coalesce(asked, ''), true);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_balanced AFTER INSERT ON payments_posting
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_balanced();
CREATE CONSTRAINT TRIGGER ledger_balanced AFTER INSERT ON payments_entry
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_balanced();
"""
BACKWARD = """
DROP TRIGGER ledger_balanced ON payments_entry;
DROP TRIGGER ledger_balanced ON payments_posting;
DROP FUNCTION ledger_balanced();
DROP TRIGGER ledger_append_only ON payments_entry;
DROP TRIGGER ledger_append_only ON payments_posting;
DROP FUNCTION ledger_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_row_level_security")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
