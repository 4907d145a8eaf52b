from django.db import migrations

# What is left of each grant follows from the balance: what was spent came from the grants in the order of spending.
GRANTS = """
UPDATE usage_creditgrant SET priority = CASE source WHEN 'promo' THEN 10 WHEN 'support' THEN 20 ELSE 50 END;
WITH line AS (
    SELECT held.id, held.amount_micro,
           SUM(held.amount_micro) OVER spending AS upto,
           SUM(held.amount_micro) OVER (PARTITION BY held.account_id) - GREATEST(credit.balance_micro, 0) AS spent
      FROM usage_creditgrant AS held JOIN usage_creditaccount AS credit USING (account_id)
    WINDOW spending AS (PARTITION BY held.account_id
                        ORDER BY held.priority, held.expires_at NULLS LAST, held.granted_at, held.id)
)
UPDATE usage_creditgrant AS held
   SET remaining_micro = LEAST(line.amount_micro, GREATEST(0, line.upto - GREATEST(line.spent, 0)))
  FROM line WHERE held.id = line.id;
"""
SLICES = """
INSERT INTO usage_usageslice (id, account_id, starts_at, channel, model, key_id, currency,
                              answers, estimated, messages, input_tokens, output_tokens, price_micro)
SELECT gen_random_uuid(), account_id, date_bin('15 minutes', occurred_at, '2000-01-01T00:00:00Z'), channel, model,
       key_id, currency, COUNT(*), COUNT(*) FILTER (WHERE provenance = 'estimated'), SUM(messages), SUM(input_tokens),
       SUM(output_tokens), SUM(price_micro)
  FROM usage_usageledger WHERE kind = 'settle' AND provenance <> 'none' GROUP BY 2, 3, 4, 5, 6, 7;
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0003_caps_alerts_history")]

    operations = [
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
        migrations.RunSQL(SLICES, "DELETE FROM usage_usageslice"),
    ]
