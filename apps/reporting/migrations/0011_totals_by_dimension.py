from django.db import migrations, models

DIMENSIONS = ("plan", "interval", "country", "age", "model", "backend", "channel", "provenance", "reason")
# A metric that knows a dimension names a member of it at least once; the class of the metric is not asked here.
FILL = """
INSERT INTO reporting_metrictotal (day, metric, dimension, member, currency, value)
SELECT day, metric, '{name}', {name}, currency, SUM(value) FROM reporting_metricday
 WHERE metric IN (SELECT DISTINCT metric FROM reporting_metricday WHERE {name} <> '')
 GROUP BY day, metric, {name}, currency
"""


class Migration(migrations.Migration):
    dependencies = [("reporting", "0010_fees")]

    operations = [
        migrations.RemoveConstraint(model_name="metrictotal", name="metric_total_once"),
        migrations.AddField(
            model_name="metrictotal", name="dimension", field=models.CharField(blank=True, max_length=12)
        ),
        migrations.AddField(model_name="metrictotal", name="member", field=models.CharField(blank=True, max_length=64)),
        migrations.AddConstraint(
            model_name="metrictotal",
            constraint=models.UniqueConstraint(
                fields=("metric", "dimension", "day", "currency", "member"), name="metric_total_once"
            ),
        ),
        migrations.RunSQL([FILL.format(name=name) for name in DIMENSIONS], migrations.RunSQL.noop),
    ]
