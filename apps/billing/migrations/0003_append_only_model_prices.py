from django.db import migrations

FORBID = """
CREATE FUNCTION billing_model_price_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'billing_modelprice is append-only: new rates are a new row'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER billing_model_price_append_only BEFORE UPDATE OR DELETE ON billing_modelprice
    FOR EACH ROW EXECUTE FUNCTION billing_model_price_is_append_only();
"""
ALLOW = """
DROP TRIGGER billing_model_price_append_only ON billing_modelprice;
DROP FUNCTION billing_model_price_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_model_price")]

    operations = [migrations.RunSQL(FORBID, ALLOW)]
