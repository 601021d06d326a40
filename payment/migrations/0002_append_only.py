"""What the ledger promises, promised by the database itself (ADR 0002).

Rows of transfer and entry can be neither changed nor removed; the legs that one statement inserts sum to zero per
transfer and currency; no transfer commits without legs. TRUNCATE, which fires no row trigger, stays possible for tests.
"""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE FUNCTION payment_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER payment_transfer_append_only BEFORE UPDATE OR DELETE ON payment_transfer
    FOR EACH ROW EXECUTE FUNCTION payment_refuse_change();
CREATE TRIGGER payment_entry_append_only BEFORE UPDATE OR DELETE ON payment_entry
    FOR EACH ROW EXECUTE FUNCTION payment_refuse_change();

CREATE FUNCTION payment_refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM posted GROUP BY transfer_id, currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the legs of a transfer must sum to zero' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER payment_entry_balanced AFTER INSERT ON payment_entry
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION payment_refuse_unbalanced();

CREATE FUNCTION payment_refuse_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM payment_entry WHERE transfer_id = NEW.id) THEN
        RAISE EXCEPTION 'transfer % has no legs', NEW.key USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER payment_transfer_has_legs AFTER INSERT ON payment_transfer
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payment_refuse_empty();
"""

BACKWARD = """
DROP TRIGGER payment_transfer_has_legs ON payment_transfer;
DROP TRIGGER payment_entry_balanced ON payment_entry;
DROP TRIGGER payment_entry_append_only ON payment_entry;
DROP TRIGGER payment_transfer_append_only ON payment_transfer;
DROP FUNCTION payment_refuse_empty(), payment_refuse_unbalanced(), payment_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("payment", "0001_initial")]

    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
