from django.db import migrations

TABLES = ("billing_planversion", "billing_entitlementsnapshot", "billing_subscriptionstate")
FUNCTION = """
CREATE FUNCTION billing_rows_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: what changes is a new row', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
TRIGGER = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION billing_rows_are_append_only();
"""
FORBID = FUNCTION + "".join(TRIGGER.format(table=table) for table in TABLES)
ALLOW = "".join(f"DROP TRIGGER {table}_append_only ON {table};\n" for table in TABLES)
ALLOW += "DROP FUNCTION billing_rows_are_append_only();"


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_grants_schedules_and_plans_that_left")]

    operations = [migrations.RunSQL(FORBID, ALLOW)]
