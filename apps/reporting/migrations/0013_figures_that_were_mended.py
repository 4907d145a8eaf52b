from django.db import migrations

# Definitions changed (see the changelog): what was kept is worked out again by the schedule, newest days first.


class Migration(migrations.Migration):
    dependencies = [("reporting", "0012_thirty_days")]

    operations = [
        migrations.RunSQL(
            "UPDATE reporting_fillstate SET dirty_since = now() WHERE family IN"
            " ('movements', 'cohorts', 'earnings', 'cash', 'growth', 'trust', 'accounts')",
            migrations.RunSQL.noop,
        )
    ]
