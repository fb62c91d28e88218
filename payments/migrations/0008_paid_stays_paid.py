"""What was paid cannot be made to look unpaid, whatever the code above believes.

0004 keeps a payout as it was sent. Beside it: nothing of a payment is ever removed; who
made and who approved a run stays as written; a line lets go of its payable only when its
payout has failed or was cancelled, and takes hold again only when it was paid after all;
what is open of a payable is its amount without the live lines, when a transaction ends.

Each CREATE TRIGGER waits for the table's writers, then holds them for a moment only.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION payment_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what belongs to a payment is never deleted: % of % refused',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER payment_kept BEFORE DELETE ON payments_payoutrun
    FOR EACH ROW EXECUTE FUNCTION payment_kept();
CREATE TRIGGER payment_kept BEFORE DELETE ON payments_payout
    FOR EACH ROW EXECUTE FUNCTION payment_kept();
CREATE TRIGGER payment_kept BEFORE DELETE ON payments_payoutline
    FOR EACH ROW EXECUTE FUNCTION payment_kept();
CREATE TRIGGER payment_kept BEFORE DELETE ON payments_payable
    FOR EACH ROW EXECUTE FUNCTION payment_kept();
CREATE TRIGGER payment_kept BEFORE DELETE ON payments_hold
    FOR EACH ROW EXECUTE FUNCTION payment_kept();
CREATE TRIGGER payment_kept BEFORE DELETE ON payments_statusquery
    FOR EACH ROW EXECUTE FUNCTION payment_kept();
CREATE TRIGGER payment_kept BEFORE DELETE ON payments_walletcallback
    FOR EACH ROW EXECUTE FUNCTION payment_kept();

CREATE FUNCTION payout_run_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.number, OLD.currency, OLD.gross_minor, OLD.total_minor, OLD.made_by_id)
       IS DISTINCT FROM
       (NEW.number, NEW.currency, NEW.gross_minor, NEW.total_minor, NEW.made_by_id)
    THEN
        RAISE EXCEPTION 'run %: what was gathered, and by whom, is fixed', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.approved_by_id IS NOT NULL
       AND (OLD.approved_by_id, OLD.approved_at) IS DISTINCT FROM
           (NEW.approved_by_id, NEW.approved_at) THEN
        RAISE EXCEPTION 'run %: who approved it, and when, is fixed', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payout_run_fixed BEFORE UPDATE ON payments_payoutrun
    FOR EACH ROW EXECUTE FUNCTION payout_run_fixed();

CREATE FUNCTION payable_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.workshop_id, OLD.inspection_id, OLD.amount_minor, OLD.currency, OLD.entry_id)
       IS DISTINCT FROM
       (NEW.workshop_id, NEW.inspection_id, NEW.amount_minor, NEW.currency, NEW.entry_id)
    THEN
        RAISE EXCEPTION 'payable %: what was earned is fixed', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payable_fixed BEFORE UPDATE ON payments_payable
    FOR EACH ROW EXECUTE FUNCTION payable_fixed();

CREATE FUNCTION payout_line_held() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE known text;
BEGIN
    IF (OLD.payout_id, OLD.payable_id) IS DISTINCT FROM (NEW.payout_id, NEW.payable_id)
       OR OLD.amount_minor <> NEW.amount_minor
          AND (OLD.is_live OR NEW.amount_minor > OLD.amount_minor) THEN
        RAISE EXCEPTION 'payout line %: what it covers is fixed', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.is_live = NEW.is_live THEN
        RETURN NEW;
    END IF;
    SELECT state INTO known FROM public.payments_payout
        WHERE tenant_id = OLD.tenant_id AND id = OLD.payout_id;
    IF OLD.is_live AND known IN ('failed', 'cancelled')
       OR NEW.is_live AND known = 'paid' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'payout line %: its payment is %', OLD.id, known
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER payout_line_held BEFORE UPDATE ON payments_payoutline
    FOR EACH ROW EXECUTE FUNCTION payout_line_held();

CREATE FUNCTION payable_adds_up() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE asked text; owed record; payable bigint;
BEGIN
    -- At commit another tenant may be set: look with the eyes of the row's own.
    asked := current_setting('vrp.tenant', true);
    PERFORM set_config('vrp.tenant', NEW.tenant_id::text, true);
    IF TG_TABLE_NAME = 'payments_payable' THEN
        payable := NEW.id;
    ELSE
        payable := NEW.payable_id;
    END IF;
    SELECT p.open_minor, p.amount_minor - coalesce((
        SELECT sum(l.amount_minor) FROM public.payments_payoutline l
        WHERE l.tenant_id = p.tenant_id AND l.payable_id = p.id AND l.is_live
    ), 0) AS free INTO owed FROM public.payments_payable p
        WHERE p.tenant_id = NEW.tenant_id AND p.id = payable;
    IF owed.open_minor <> owed.free THEN
        RAISE EXCEPTION 'payable %: % is said to be open, its payouts leave %',
            payable, owed.open_minor, owed.free USING ERRCODE = 'check_violation';
    END IF;
    PERFORM set_config('vrp.tenant', coalesce(asked, ''), true);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payable_adds_up
    AFTER INSERT OR UPDATE OF open_minor ON payments_payable
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payable_adds_up();
CREATE CONSTRAINT TRIGGER payable_adds_up
    AFTER INSERT OR UPDATE OF amount_minor, is_live ON payments_payoutline
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payable_adds_up();
"""
BACKWARD = """
DROP TRIGGER payable_adds_up ON payments_payoutline;
DROP TRIGGER payable_adds_up ON payments_payable;
DROP FUNCTION payable_adds_up();
DROP TRIGGER payout_line_held ON payments_payoutline;
DROP FUNCTION payout_line_held();
DROP TRIGGER payable_fixed ON payments_payable;
DROP FUNCTION payable_fixed();
DROP TRIGGER payout_run_fixed ON payments_payoutrun;
DROP FUNCTION payout_run_fixed();
DROP TRIGGER payment_kept ON payments_walletcallback;
DROP TRIGGER payment_kept ON payments_statusquery;
DROP TRIGGER payment_kept ON payments_hold;
DROP TRIGGER payment_kept ON payments_payable;
DROP TRIGGER payment_kept ON payments_payoutline;
DROP TRIGGER payment_kept ON payments_payout;
DROP TRIGGER payment_kept ON payments_payoutrun;
DROP FUNCTION payment_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0007_entries_stay_closed")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
