from django.db import migrations

# Until now cost and price of a row were in one currency. The ledger forbids changes: its trigger rests meanwhile.
FILL = """
ALTER TABLE usage_usageledger DISABLE TRIGGER usage_ledger_append_only;
UPDATE usage_usageledger SET cost_currency = currency WHERE kind = 'settle' AND cost_currency = '';
ALTER TABLE usage_usageledger ENABLE TRIGGER usage_ledger_append_only;
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0005_token_classes")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
