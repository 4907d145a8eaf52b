from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inference', '0004_fallback_and_key'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='cached_input_tokens',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='run',
            name='reasoning_tokens',
            field=models.PositiveIntegerField(default=0),
        ),
    ]
