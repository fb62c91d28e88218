"""What no client may change on a payout, whatever the code above believes.

Amount, phone, workshop, run and id are fixed when the row is written, because they went
to the wallet; a receipt stays as it came; a paid payout stays paid.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION payout_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.amount_minor, OLD.currency, OLD.phone, OLD.workshop_id, OLD.run_id,
        OLD.originator_id) IS DISTINCT FROM
       (NEW.amount_minor, NEW.currency, NEW.phone, NEW.workshop_id, NEW.run_id,
        NEW.originator_id) THEN
        RAISE EXCEPTION 'payout %: what was sent to the wallet is fixed', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.receipt <> '' AND NEW.receipt <> OLD.receipt THEN
        RAISE EXCEPTION 'payout %: a receipt is never overwritten', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state = 'paid' AND NEW.state <> 'paid' THEN
        RAISE EXCEPTION 'payout %: paid stays paid', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payout_fixed BEFORE UPDATE ON payments_payout
    FOR EACH ROW EXECUTE FUNCTION payout_fixed();
"""
BACKWARD = """
DROP TRIGGER payout_fixed ON payments_payout;
DROP FUNCTION payout_fixed();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_ledger_rules")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
