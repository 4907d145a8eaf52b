from datetime import datetime, UTC

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_device'),
    ]

    operations = [
        # Letters are minutes old when they leave: those on their way are given up, and may be asked for again.
        migrations.AddField(
            model_name='letter',
            name='useless_at',
            field=models.DateTimeField(default=datetime(2026, 11, 26, tzinfo=UTC)),
            preserve_default=False,
        ),
    ]
