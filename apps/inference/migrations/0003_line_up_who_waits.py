from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("inference", "0002_place_in_line")]

    operations = [
        migrations.RunSQL(
            "UPDATE inference_run SET in_line_since = created_at WHERE state = 'queued' AND in_line_since IS NULL",
            migrations.RunSQL.noop,
        )
    ]
