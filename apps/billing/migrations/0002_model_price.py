import apps.core.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ModelPrice',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('model', models.CharField(max_length=64)),
                ('version', models.PositiveIntegerField()),
                ('rates', models.JSONField()),
                ('digest', models.CharField(max_length=64)),
                ('effective_from', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('model', 'version'), name='model_price_once')],
            },
        ),
    ]
