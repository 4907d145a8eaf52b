from django.db import migrations

FORBID = """
CREATE FUNCTION usage_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'usage_usageledger is append-only: a correction is a new row'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER usage_ledger_append_only BEFORE UPDATE OR DELETE ON usage_usageledger
    FOR EACH ROW EXECUTE FUNCTION usage_ledger_is_append_only();
"""
ALLOW = """
DROP TRIGGER usage_ledger_append_only ON usage_usageledger;
DROP FUNCTION usage_ledger_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0001_initial")]

    operations = [migrations.RunSQL(FORBID, ALLOW)]
